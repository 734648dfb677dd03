package companynews;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Date;
import java.util.List;

/** All articles, in memory. {@link Prevalence} is the only one that changes it and guards it with its lock. */
final class News {
  private final List<Article> articles = new ArrayList<>();

  /** Executes one transaction. As in companyNews, the article gets the date of now, also when now is a replay. */
  void post(String title, String body) {
    articles.add(new Article(title, body, new Date()));
  }

  /** Puts an article of a snapshot back, with the date it had. */
  void restore(Article article) {
    articles.add(article);
  }

  /** A copy, newest first. */
  List<Article> newestFirst() {
    List<Article> copy = new ArrayList<>(articles);
    Collections.reverse(copy);
    return copy;
  }

  List<Article> oldestFirst() {
    return new ArrayList<>(articles);
  }
}
