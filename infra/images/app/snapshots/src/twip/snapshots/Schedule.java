package twip.snapshots;

/**
 * Says when a snapshot is due. All times are in milliseconds of a clock that never goes back.
 *
 * <p>Snapshots may take one hundredth of the time. The time since the last ones counts, up to a minute: a site that was
 * quiet is not made to wait after each of its first posts, and a single slow write does not delay the next snapshot by
 * a hundred times as much.
 */
final class Schedule {
  static final long AFTER_CHANGE = 1000;
  private static final long SHARE = 100;
  private static final long CREDIT = 60_000;
  private static final long FIRST_RETRY = 2_000;
  private static final long LAST_RETRY = 300_000;

  private long changed = -1; // when the oldest change was noticed that no snapshot holds; -1 if there is none
  private long paid; // until when the snapshots that were taken use up their share
  private long retry = 0; // pause after the next failure
  private long notBefore;

  Schedule(long now) {
    paid = now - CREDIT;
    notBefore = now;
  }

  void change(long now) {
    if (changed < 0) {
      changed = now;
    }
  }

  /** After a replay, all that was replayed has waited long enough. */
  void replayed(long now) {
    changed = now - AFTER_CHANGE;
  }

  boolean pending() {
    return changed >= 0;
  }

  boolean due(long now) {
    return pending() && now - changed >= AFTER_CHANGE && now >= paid && now >= notBefore;
  }

  void taken(long began, long ended) {
    changed = -1;
    retry = 0;
    pay(began, ended);
  }

  /** The change still waits, and longer after each failure. */
  void failed(long began, long ended) {
    retry = retry == 0 ? FIRST_RETRY : Math.min(LAST_RETRY, retry * 2);
    notBefore = ended + retry;
    pay(began, ended);
  }

  private void pay(long began, long ended) {
    // A snapshot below the clock's resolution is not free.
    paid = Math.max(paid, ended - CREDIT) + SHARE * Math.max(1, ended - began);
  }
}
