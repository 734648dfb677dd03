package companynews;

import java.util.ArrayList;
import java.util.List;

/** Stands for an action of the application, with what careless ones have. */
public final class Page {
  private String title = "news";
  private final List<String> articles = new ArrayList<>(List.of("one", "two"));

  public String getTitle() {
    return title;
  }

  public void setTitle(String title) {
    this.title = title;
  }

  public List<String> getArticles() {
    return articles;
  }

  public int getCount() {
    return articles.size();
  }

  public java.sql.Timestamp getPosted() {
    return new java.sql.Timestamp(0);
  }

  public String titleOf(String article) {
    return article + "!";
  }

  public java.io.InputStream stream() {
    return java.io.InputStream.nullInputStream();
  }

  public ClassLoader getLoader() {
    return Page.class.getClassLoader();
  }

  public Class<?> getKind() {
    return Page.class;
  }
}
