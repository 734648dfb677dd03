package twip.snapshots;

import java.io.PrintStream;
import java.time.Instant;

/** Writes lines like the keeper's: JSON objects with time, level and msg, so that both are counted in the same way. */
final class Log {
  private final PrintStream out;

  Log(PrintStream out) {
    this.out = out;
  }

  /** Fields are names and values in turn; numbers stay numbers. */
  void line(String level, String message, Object... fields) {
    StringBuilder line = new StringBuilder("{\"time\":");
    quote(line, Instant.now().toString());
    field(line, "level", level);
    field(line, "msg", message);
    for (int i = 0; i < fields.length; i += 2) {
      field(line, (String) fields[i], fields[i + 1]);
    }
    // One write, so that no other line comes between.
    out.print(line.append("}\n"));
    out.flush();
  }

  private static void field(StringBuilder line, String name, Object value) {
    line.append(',');
    quote(line, name);
    line.append(':');
    if (value instanceof Number) {
      line.append(value);
    } else {
      quote(line, String.valueOf(value));
    }
  }

  private static void quote(StringBuilder line, String text) {
    line.append('"');
    for (char c : text.toCharArray()) {
      if (c == '"' || c == '\\') {
        line.append('\\').append(c);
      } else if (c < ' ') {
        line.append(String.format("\\u%04x", (int) c));
      } else {
        line.append(c);
      }
    }
    line.append('"');
  }
}
