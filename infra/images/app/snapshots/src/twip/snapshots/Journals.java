package twip.snapshots;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/**
 * What this JVM has written to journals, by which a change is known. Linux says it in /proc: which journals are open,
 * and how far each is written. That holds for every version of Prevayler, wherever its directory is, and asks the file
 * system of the data nothing: on a network store each look at a directory would be paid for.
 */
final class Journals {
  private static final String SUFFIX = ".journal";

  private final Path process;
  private final Path data;

  /** Process is /proc/self, data the directory in or one below which Prevayler keeps its files. */
  Journals(Path process, Path data) {
    this.process = process;
    this.data = data;
  }

  /** How many bytes of each open journal are written. */
  Map<String, Long> written() throws IOException {
    Map<String, Long> written = new TreeMap<>();
    try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(process.resolve("fd"))) {
      for (Path descriptor : descriptors) {
        try {
          String file = Files.readSymbolicLink(descriptor).toString();
          if (file.endsWith(SUFFIX)) {
            String number = descriptor.getFileName().toString();
            written.put(number + " " + file, position(process.resolve("fdinfo").resolve(number)));
          }
        } catch (IOException closed) {
          // Files are opened and closed while they are listed; a journal of the past changes nothing any more.
          continue;
        }
      }
    } catch (DirectoryIteratorException cause) {
      throw cause.getCause();
    }
    return written;
  }

  /** Its first line reads "pos:", a tab, and the number; see proc_pid_fdinfo(5). */
  private static long position(Path info) throws IOException {
    for (String line : Files.readAllLines(info)) {
      if (line.startsWith("pos:")) {
        return Long.parseLong(line.substring("pos:".length()).trim());
      }
    }
    throw new IOException(info + " has no line pos:");
  }

  /**
   * Whether something may have been replayed: a journal holds something. Its transactions can all be in a snapshot;
   * which ones it holds, only Prevayler can tell.
   */
  boolean mayHaveReplayed() {
    return holdsJournal(data, 1);
  }

  private static boolean holdsJournal(Path directory, int deeper) {
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      for (Path entry : entries) {
        boolean found =
            Files.isDirectory(entry)
                ? deeper > 0 && holdsJournal(entry, deeper - 1)
                : entry.toString().endsWith(SUFFIX) && Files.size(entry) > 0;
        if (found) {
          return true;
        }
      }
      return false;
    } catch (IOException | DirectoryIteratorException unknown) {
      return true; // a snapshot too many harms less than one too few
    }
  }
}
