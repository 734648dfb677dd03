package org.prevayler;

import java.io.IOException;

/** Stands in for Prevayler's interface of this name, of which the sample has one method only. */
public interface Prevayler {
  /** Writes all that was executed to a file of its own. Writes wait for it. */
  void takeSnapshot() throws IOException;
}
