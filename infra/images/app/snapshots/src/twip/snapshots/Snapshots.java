package twip.snapshots;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Has the Prevaylers of one running web application take snapshots. {@link #step} is called again and again by one
 * thread; {@link #last} once, when no request is in work any more and the application is about to stop.
 *
 * <p>Prevayler is in an attribute once its replay is over, so that no snapshot is taken during one.
 */
final class Snapshots {
  private static final long REPORT = 60_000; // milliseconds between two lines about snapshots that succeeded

  private final Supplier<Map<String, Object>> attributes;
  private final Journals journals;
  private final Log log;
  private final LongSupplier clock;
  private final Schedule schedule;

  private List<Handle> handles = new ArrayList<>();
  private Map<String, Long> saved = Map.of(); // what was written of the journals before the newest snapshot
  private Map<String, Long> seen = Map.of(); // by the step before this one
  private boolean saidNone;
  private boolean blind; // the last look at the journals failed
  private long failures;
  private long taken;
  private long longest;
  private long reported;

  /** The clock counts milliseconds and never goes back. */
  Snapshots(Supplier<Map<String, Object>> attributes, Journals journals, Log log, LongSupplier clock) {
    this.attributes = attributes;
    this.journals = journals;
    this.log = log;
    this.clock = clock;
    schedule = new Schedule(clock.getAsLong());
    reported = clock.getAsLong() - REPORT;
  }

  /** Looks for Prevaylers and changes, and takes a snapshot when one is due. */
  synchronized void step() {
    look();
    if (handles.isEmpty()) {
      return;
    }
    Map<String, Long> before = seen;
    notice();
    if (schedule.due(clock.getAsLong())) {
      take(before);
    }
    report();
  }

  /** Takes a snapshot of what no snapshot holds, whenever the one before was. */
  synchronized void last() {
    if (handles.isEmpty()) {
      return;
    }
    notice();
    if (schedule.pending()) {
      take(seen);
    }
    reported = clock.getAsLong() - REPORT;
    report();
  }

  private void look() {
    List<Handle> found = new ArrayList<>();
    for (Map.Entry<String, Object> attribute : attributes.get().entrySet()) {
      Object value = attribute.getValue();
      Handle known = known(handles, value);
      Handle handle = known != null ? known : Handle.of(value);
      if (handle == null || known(found, value) != null) {
        continue;
      }
      found.add(handle);
      if (known == null) {
        log.line("INFO", "Prevayler found: snapshots are taken while the application runs",
            "component", "snapshots", "attribute", attribute.getKey(), "class", handle.className());
        if (journals.mayHaveReplayed()) {
          schedule.replayed(clock.getAsLong());
        }
      }
    }
    handles = found;
    if (found.isEmpty() && !saidNone) {
      log.line("INFO", "no Prevayler in the application: no snapshots are taken until one appears",
          "component", "snapshots");
    }
    saidNone = found.isEmpty();
  }

  private static Handle known(List<Handle> handles, Object value) {
    for (Handle handle : handles) {
      if (handle.isOf(value)) {
        return handle;
      }
    }
    return null;
  }

  private void notice() {
    try {
      seen = journals.written();
      if (!seen.equals(saved)) {
        schedule.change(clock.getAsLong());
      }
      blind = false;
    } catch (IOException cause) {
      schedule.change(clock.getAsLong());
      if (!blind) {
        failed("changes cannot be seen: snapshots are taken without them", cause);
      }
      blind = true;
    }
  }

  /**
   * Before is what was written one step ago. What was written since may be in the journal and not yet executed, and so
   * not in the snapshot: that is taken for a change still.
   */
  private void take(Map<String, Long> before) {
    long began = clock.getAsLong();
    boolean complete = true;
    for (Handle handle : handles) {
      try {
        handle.takeSnapshot();
      } catch (Throwable cause) { // whatever the application throws, the site goes on
        complete = false;
        failed("snapshot failed", cause);
      }
    }
    long ended = clock.getAsLong();
    if (!complete) {
      schedule.failed(began, ended);
      return;
    }
    schedule.taken(began, ended);
    saved = before;
    taken++;
    longest = Math.max(longest, ended - began);
  }

  private void failed(String what, Throwable cause) {
    failures++;
    log.line("ERROR", what, "component", "snapshots", "failures", failures, "error", cause,
        "help", "the site goes on; articles since the last snapshot get another date if it is killed now");
  }

  private void report() {
    long now = clock.getAsLong();
    if (taken == 0 || now - reported < REPORT) {
      return;
    }
    log.line("INFO", "snapshots taken", "component", "snapshots", "taken", taken, "longestMilliseconds", longest);
    taken = 0;
    longest = 0;
    reported = now;
  }
}
