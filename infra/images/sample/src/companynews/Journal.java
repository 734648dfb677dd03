package companynews;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;

/**
 * A file of transactions. It is named after its first one and, like Prevayler's, opened truncating: the name is only given
 * again when no complete transaction of that number was found at the start.
 *
 * <p>A record is the length of its content, the content's CRC-32, and the content: the title's length, the title, the body,
 * both in UTF-8.
 */
final class Journal implements AutoCloseable {
  private static final int LARGEST = 16 << 20;

  private final FileOutputStream file;

  static String name(long firstTransaction) {
    return String.format("%019d.journal", firstTransaction);
  }

  Journal(File directory, long firstTransaction) throws IOException {
    file = new FileOutputStream(new File(directory, name(firstTransaction)));
  }

  /** Returns when the record is on the disk. */
  void append(String title, String body) throws IOException {
    byte[] titleBytes = title.getBytes(StandardCharsets.UTF_8);
    byte[] bodyBytes = body.getBytes(StandardCharsets.UTF_8);
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(content);
    out.writeInt(titleBytes.length);
    out.write(titleBytes);
    out.write(bodyBytes);

    CRC32 checksum = new CRC32();
    checksum.update(content.toByteArray());
    ByteArrayOutputStream record = new ByteArrayOutputStream();
    out = new DataOutputStream(record);
    out.writeInt(content.size());
    out.writeInt((int) checksum.getValue());
    content.writeTo(out);

    file.write(record.toByteArray());
    file.getFD().sync();
  }

  @Override
  public void close() throws IOException {
    file.close();
  }

  /** What a replay does with each transaction. */
  interface Transaction {
    void execute(String title, String body) throws IOException;
  }

  /**
   * Reads the transactions of a file in their order. A record that ends with the file was never acknowledged: its writer
   * died while writing it, and it is left out. Anything else that is not a record is damage.
   */
  static void replay(File journal, Transaction transaction) throws IOException {
    try (DataInputStream in =
        new DataInputStream(new BufferedInputStream(new FileInputStream(journal)))) {
      for (long position = 0; ; ) {
        byte[] content;
        int expected;
        try {
          int length = in.readInt();
          if (length < 4 || length > LARGEST) {
            throw damaged(journal, position, "a record cannot have " + length + " bytes");
          }
          expected = in.readInt();
          content = new byte[length];
          in.readFully(content);
        } catch (EOFException end) {
          return;
        }
        CRC32 checksum = new CRC32();
        checksum.update(content);
        if ((int) checksum.getValue() != expected) {
          throw damaged(journal, position, "its checksum does not match");
        }
        DataInputStream fields = new DataInputStream(new java.io.ByteArrayInputStream(content));
        int titleLength = fields.readInt();
        if (titleLength < 0 || titleLength > content.length - 4) {
          throw damaged(journal, position, "its title cannot have " + titleLength + " bytes");
        }
        transaction.execute(
            new String(content, 4, titleLength, StandardCharsets.UTF_8),
            new String(content, 4 + titleLength, content.length - 4 - titleLength, StandardCharsets.UTF_8));
        position += 8L + content.length;
      }
    }
  }

  private static IOException damaged(File journal, long position, String what) {
    return new IOException(
        "journal " + journal + " is damaged at byte " + position + ": " + what
            + ". Nothing was changed. Restore the directory from a copy, or move this file away to lose what it holds.");
  }
}
