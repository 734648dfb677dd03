package twip.guard;

import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;

/** Says what was refused, in lines like the keeper's: what and where, never a value that a visitor sent. */
public final class Refusals {
  private Refusals() {}

  private static final AtomicLong COUNT = new AtomicLong();
  private static final AtomicLong LAST = new AtomicLong();

  /** At most one line a second, with the number of all refusals: an attack must not fill the log. */
  public static void note(String what, String where) {
    long count = COUNT.incrementAndGet();
    long now = System.currentTimeMillis();
    long last = LAST.get();
    if (now - last >= 1000 && LAST.compareAndSet(last, now)) {
      System.out.print(
          "{\"time\":\"" + Instant.now() + "\",\"level\":\"WARN\",\"msg\":\"guard refused\",\"what\":\"" + what
              + "\",\"where\":\"" + plain(where) + "\",\"refusals\":" + count + "}\n");
    }
  }

  /** Class and member names, and paths, as far as they are ordinary; the rest is left out. */
  private static String plain(String text) {
    String kept = text.replaceAll("[^A-Za-z0-9_.$/-]", "");
    return kept.length() > 100 ? kept.substring(0, 100) : kept;
  }
}
