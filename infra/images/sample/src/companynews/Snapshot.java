package companynews;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.util.Date;
import java.util.List;

/** The whole of the news in one file, named after the last transaction it contains. */
final class Snapshot {
  private Snapshot() {}

  static String name(long lastTransaction) {
    return String.format("%019d.snapshot", lastTransaction);
  }

  /** Writes beside and renames, so that a snapshot is there completely or not at all. */
  static void write(File directory, long lastTransaction, List<Article> articles) throws IOException {
    File unfinished = new File(directory, name(lastTransaction) + ".writing");
    try (FileOutputStream file = new FileOutputStream(unfinished)) {
      DataOutputStream out = new DataOutputStream(new BufferedOutputStream(file));
      out.writeInt(articles.size());
      for (Article article : articles) {
        out.writeLong(article.getDate().getTime());
        writeString(out, article.getTitle());
        writeString(out, article.getBody());
      }
      out.flush();
      file.getFD().sync();
    }
    Files.move(
        unfinished.toPath(),
        new File(directory, name(lastTransaction)).toPath(),
        StandardCopyOption.ATOMIC_MOVE);
  }

  static void read(File snapshot, News into) throws IOException {
    try (DataInputStream in =
        new DataInputStream(new BufferedInputStream(new FileInputStream(snapshot)))) {
      for (int remaining = in.readInt(); remaining > 0; remaining--) {
        Date date = new Date(in.readLong());
        String title = readString(in);
        into.restore(new Article(title, readString(in), date));
      }
    } catch (IOException | RuntimeException cause) {
      throw new IOException(
          "snapshot " + snapshot + " cannot be read. Nothing was changed. Restore the directory from a copy.", cause);
    }
  }

  private static void writeString(DataOutputStream out, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    out.writeInt(bytes.length);
    out.write(bytes);
  }

  private static String readString(DataInputStream in) throws IOException {
    byte[] bytes = new byte[in.readInt()];
    in.readFully(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
