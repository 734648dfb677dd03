package companynews;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import org.prevayler.Prevayler;

/**
 * The news in memory and on disk, with the properties that Prevayler 2.3 gives to companyNews, the inconvenient ones
 * included: the directory is never locked, a transaction is executed in memory first and acknowledged once the journal is
 * on the disk, a start replays the journals on top of the newest snapshot, and a snapshot is written only when asked for.
 */
final class Prevalence implements Prevayler, AutoCloseable {
  private final File directory;
  private final News news = new News();
  private long lastTransaction;
  private Journal journal;
  private IOException broken;

  /** Replays what the directory holds. A directory that cannot be understood is refused and left as it is. */
  Prevalence(File directory) throws IOException {
    this.directory = directory;
    Files.createDirectories(directory.toPath());
    String[] names = directory.list();
    if (names == null) {
      throw new IOException("persistence directory " + directory + " cannot be listed: check its owner and mode");
    }
    Arrays.sort(names);
    for (String name : names) {
      if (name.endsWith(".snapshot")) {
        lastTransaction = number(name);
      }
    }
    if (lastTransaction > 0) {
      Snapshot.read(new File(directory, Snapshot.name(lastTransaction)), news);
    }
    for (String name : names) {
      if (name.endsWith(".journal")) {
        replay(name);
      }
    }
  }

  private void replay(String name) throws IOException {
    long[] next = {number(name)};
    if (next[0] > lastTransaction + 1) {
      throw new IOException(
          "journal " + new File(directory, name) + " begins after transaction " + (lastTransaction + 1)
              + ", which no file holds. Nothing was changed. Restore the directory from a copy.");
    }
    Journal.replay(
        new File(directory, name),
        (title, body) -> {
          if (next[0] == lastTransaction + 1) {
            news.post(title, body);
            lastTransaction++;
          }
          next[0]++;
        });
  }

  private static long number(String name) throws IOException {
    try {
      return Long.parseLong(name.substring(0, name.indexOf('.')));
    } catch (NumberFormatException cause) {
      throw new IOException("file " + name + " in the persistence directory is not named after a transaction", cause);
    }
  }

  /** Returns when the article would survive the loss of this process. */
  synchronized void post(String title, String body) throws IOException {
    if (broken != null) {
      throw new IOException("the journal failed before; restart to go on from what is on the disk", broken);
    }
    news.post(title, body);
    try {
      if (journal == null) {
        journal = new Journal(directory, lastTransaction + 1);
      }
      journal.append(title, body);
    } catch (IOException cause) {
      broken = cause;
      throw cause;
    }
    lastTransaction++;
  }

  synchronized List<Article> newestFirst() {
    return news.newestFirst();
  }

  /** As Prevayler's, it is written also when nothing happened since the last one. */
  @Override
  public synchronized void takeSnapshot() throws IOException {
    if (broken != null) {
      throw new IOException("the journal failed before: what is in memory may not be what was acknowledged", broken);
    }
    Snapshot.write(directory, lastTransaction, news.oldestFirst());
  }

  /** Takes the snapshot, unless nothing happened since the last one. */
  @Override
  public synchronized void close() throws IOException {
    if (journal != null) {
      journal.close();
    }
    boolean known = lastTransaction == 0 || new File(directory, Snapshot.name(lastTransaction)).exists();
    if (broken == null && !known) {
      Snapshot.write(directory, lastTransaction, news.oldestFirst());
    }
  }
}
