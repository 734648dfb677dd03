package org.prevayler;

import java.io.IOException;

/** What the library knows of the interface. */
public interface Prevayler {
  void takeSnapshot() throws IOException;
}
