package companynews;

import java.time.Instant;
import java.util.Date;

/** One piece of news. Its date is the moment at which the transaction that posted it was executed. */
public final class Article {
  private final String title;
  private final String body;
  private final Date date;

  Article(String title, String body, Date date) {
    this.title = title;
    this.body = body;
    this.date = new Date(date.getTime());
  }

  public String getTitle() {
    return title;
  }

  public String getBody() {
    return body;
  }

  public Date getDate() {
    return new Date(date.getTime());
  }

  /** The date in ISO 8601, UTC, with milliseconds as far as there are any. */
  public String getTimestamp() {
    return Instant.ofEpochMilli(date.getTime()).toString();
  }
}
