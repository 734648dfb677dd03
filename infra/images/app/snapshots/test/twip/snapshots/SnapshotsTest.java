package twip.snapshots;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.prevayler.Prevayler;

/** Tests without any library. The clock and /proc are this test's own. */
public final class SnapshotsTest {
  private interface Case {
    void run() throws Exception;
  }

  private static void check(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }

  private static void equal(Object want, Object got, String what) {
    check(want.equals(got), what + ": want " + want + ", got " + got);
  }

  /** As in Prevayler, the class is not public and gets the interface from its parent. */
  private static class Parent implements Prevayler {
    final SnapshotsTest test;
    int snapshots;
    long lasts = 10;
    Throwable fails;

    Parent(SnapshotsTest test) {
      this.test = test;
    }

    @Override
    public void takeSnapshot() throws IOException {
      check(Thread.currentThread().getContextClassLoader() == getClass().getClassLoader(), "context class loader");
      test.now += lasts;
      test.spent += lasts;
      if (fails instanceof Error error) {
        throw error;
      }
      if (fails instanceof IOException cause) {
        throw cause;
      }
      snapshots++;
    }
  }

  private static final class Fake extends Parent {
    Fake(SnapshotsTest test) {
      super(test);
    }
  }

  private final Path root = Files.createTempDirectory("snapshots-test");
  private final Path process = Files.createDirectories(root.resolve("proc/fd")).getParent();
  private final Path data = Files.createDirectories(root.resolve("data/files*"));
  private final Map<String, Object> attributes = new LinkedHashMap<>();
  private final ByteArrayOutputStream logged = new ByteArrayOutputStream();
  private final Fake prevayler = new Fake(this);
  private long now = 1_000_000;
  private long spent;
  private final Snapshots snapshots =
      new Snapshots(() -> attributes, new Journals(process, root.resolve("data")),
          new Log(new PrintStream(logged, true, StandardCharsets.UTF_8)), () -> now);

  private SnapshotsTest() throws IOException {
    Files.createDirectories(process.resolve("fdinfo"));
    Files.createSymbolicLink(process.resolve("fd/3"), Path.of("/usr/share/java/some.jar"));
    Files.createSymbolicLink(process.resolve("fd/9"), Path.of("/gone.journal")); // closed while it is listed
  }

  private void written(long bytes) throws IOException {
    Path link = process.resolve("fd/7");
    if (!Files.isSymbolicLink(link)) {
      Files.createSymbolicLink(link, data.resolve("0000000000000000001.journal"));
    }
    Files.writeString(process.resolve("fdinfo/7"), "pos:\t" + bytes + "\nflags:\t0100001\n");
  }

  private void steps(long milliseconds) {
    for (long until = now + milliseconds; now < until; now += 500) {
      snapshots.step();
    }
  }

  private String log() {
    return logged.toString(StandardCharsets.UTF_8);
  }

  private void withoutPrevayler() throws IOException {
    attributes.put("a", new Object());
    attributes.put("b", null);
    written(1);
    steps(60_000);
    snapshots.last();
    equal(1, log().split("\n").length, "one line says it, and it stays one:\n" + log());
    check(log().contains("no Prevayler in the application"), log());
  }

  private void appearsLate() throws IOException {
    steps(5_000);
    attributes.put("PREVAYLER", prevayler);
    attributes.put("ALIAS", prevayler);
    written(10);
    steps(2_500);
    equal(1, prevayler.snapshots, "snapshots");
    check(log().contains("Prevayler found"), log());
    check(log().contains("\"attribute\":\"PREVAYLER\""), log());
    Fake other = new Fake(this);
    attributes.put("PREVAYLER", other);
    attributes.remove("ALIAS");
    written(20);
    steps(2_500);
    equal(1, prevayler.snapshots, "snapshots of the one that is gone");
    equal(1, other.snapshots, "snapshots of the one that came");
  }

  private void onlyAfterChanges() throws IOException {
    attributes.put("PREVAYLER", prevayler);
    steps(10_000);
    equal(0, prevayler.snapshots, "snapshots of an empty site");
    for (int change = 1; change <= 5; change++) {
      written(change * 100);
      steps(2_000);
      equal(change, prevayler.snapshots, "at most 2 s after a change");
      steps(20_000);
      equal(change, prevayler.snapshots, "and none without one");
    }
  }

  private void afterReplay() throws IOException {
    Files.writeString(data.resolve("0000000000000000001.journal"), "replayed");
    attributes.put("PREVAYLER", prevayler);
    snapshots.step();
    equal(1, prevayler.snapshots, "snapshots in the first step");
    steps(10_000);
    equal(1, prevayler.snapshots, "snapshots later");
  }

  /** What is written in the step of a snapshot may not be executed yet. */
  private void writtenJustBefore() throws IOException {
    attributes.put("PREVAYLER", prevayler);
    written(100);
    steps(1_000);
    written(200);
    snapshots.step();
    equal(1, prevayler.snapshots, "snapshots");
    now += 500;
    steps(2_000);
    equal(2, prevayler.snapshots, "a second one holds what the first may lack");
  }

  private void shareOfTime() throws IOException {
    attributes.put("PREVAYLER", prevayler);
    for (long lasts : new long[] {1, 10, 100, 1000, 5000}) {
      prevayler.lasts = lasts;
      steps(60_000);
      long began = now;
      long spentBefore = spent;
      int before = prevayler.snapshots;
      for (int second = 0; second < 3600; second++) {
        written(now);
        steps(1_000);
      }
      long share = (spent - spentBefore) * 10_000 / (now - began);
      check(share <= 120 + 10_000 * lasts / (now - began), lasts + " ms each took " + share + " of 10,000 parts");
      check(prevayler.snapshots > before, "none was taken");
      check(lasts < 1000 || share >= 80, lasts + " ms each: the share is not used: " + share);
    }
  }

  private void failuresGoOn() throws IOException {
    attributes.put("PREVAYLER", prevayler);
    prevayler.fails = new IOException("no \"space\"\n left");
    written(1);
    steps(60_000);
    check(log().contains("\"level\":\"ERROR\",\"msg\":\"snapshot failed\""), log());
    check(log().contains("\"failures\":3"), log());
    check(log().contains("no \\\"space\\\"\\u000a left"), log());
    check(!log().contains("\"failures\":9"), "the pause between attempts grows:\n" + log());
    prevayler.fails = new StackOverflowError();
    steps(120_000);
    check(log().contains("StackOverflowError"), log());
    prevayler.fails = null;
    steps(300_000);
    equal(1, prevayler.snapshots, "snapshots once it can");
  }

  private void lastBeforeStop() throws IOException {
    attributes.put("PREVAYLER", prevayler);
    snapshots.step();
    written(1);
    snapshots.last();
    equal(1, prevayler.snapshots, "snapshots");
    check(log().contains("\"taken\":1"), log());
    snapshots.last();
    equal(1, prevayler.snapshots, "snapshots without a change");
  }

  /** Where /proc is not as it should be, snapshots go on at the rate that their share allows, and one line says so. */
  private void blind() throws IOException {
    attributes.put("PREVAYLER", prevayler);
    try (var files = Files.list(process.resolve("fd"))) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(process.resolve("fd"));
    steps(10_000);
    check(prevayler.snapshots > 1, "no snapshots");
    equal(2, log().split("changes cannot be seen").length, "one line says it:\n" + log());
  }

  /** The real /proc of this JVM. */
  private void knowsOpenJournals() throws IOException {
    Journals journals = new Journals(Path.of("/proc/self"), data);
    equal(Map.of(), journals.written(), "before");
    check(!journals.mayHaveReplayed(), "nothing to replay");
    Path file = data.resolve("0000000000000000042.journal");
    try (var out = Files.newOutputStream(file)) {
      out.write(new byte[123]);
      equal("[123]", journals.written().values().toString(), "bytes written");
      check(journals.written().keySet().toString().contains("files*/" + file.getFileName()), "its name");
    }
    equal(Map.of(), journals.written(), "closed");
    check(journals.mayHaveReplayed(), "something to replay");
  }

  public static void main(String[] args) throws Exception {
    Thread.currentThread().setContextClassLoader(null); // as a thread of the server's has another one than the WAR's
    Map<String, Case> cases = new LinkedHashMap<>();
    cases.put("without Prevayler", new SnapshotsTest()::withoutPrevayler);
    cases.put("appears late, and is replaced", new SnapshotsTest()::appearsLate);
    cases.put("only after changes", new SnapshotsTest()::onlyAfterChanges);
    cases.put("after a replay", new SnapshotsTest()::afterReplay);
    cases.put("written just before", new SnapshotsTest()::writtenJustBefore);
    cases.put("share of time", new SnapshotsTest()::shareOfTime);
    cases.put("failures go on", new SnapshotsTest()::failuresGoOn);
    cases.put("last before a stop", new SnapshotsTest()::lastBeforeStop);
    cases.put("blind", new SnapshotsTest()::blind);
    cases.put("knows open journals", new SnapshotsTest()::knowsOpenJournals);
    for (Map.Entry<String, Case> one : cases.entrySet()) {
      try {
        one.getValue().run();
      } catch (AssertionError | Exception cause) {
        throw new AssertionError("FAILED: " + one.getKey(), cause);
      }
      System.out.println("passed: " + one.getKey());
    }
  }
}
