package twip.snapshots;

import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import javax.servlet.ServletContext;
import org.eclipse.jetty.server.handler.ContextHandler;
import org.eclipse.jetty.util.component.LifeCycle;

/**
 * Ties {@link Snapshots} to the life of a web application in Jetty 9.4: from its start, for its replay is then
 * over, until it is about to stop, which comes after the requests in work and before the application's own stop.
 */
public final class SnapshotListener implements LifeCycle.Listener {
  private static final long EVERY = 500; // milliseconds between two looks

  private final Path data;
  private Snapshots snapshots;
  private ScheduledExecutorService thread;

  /** Data is the directory in or one below which Prevayler keeps its files. */
  public SnapshotListener(String data) {
    this.data = Path.of(data);
  }

  @Override
  public void lifeCycleStarted(LifeCycle application) {
    ServletContext context = ((ContextHandler) application).getServletContext();
    snapshots =
        new Snapshots(() -> attributes(context), new Journals(Path.of("/proc/self"), data), new Log(System.err),
            () -> System.nanoTime() / 1_000_000);
    thread =
        Executors.newSingleThreadScheduledExecutor(
            work -> {
              Thread daemon = new Thread(work, "snapshots");
              daemon.setDaemon(true);
              return daemon;
            });
    thread.scheduleWithFixedDelay(this::step, 0, EVERY, TimeUnit.MILLISECONDS);
  }

  /** An executor never calls again what has thrown once. */
  private void step() {
    try {
      snapshots.step();
    } catch (RuntimeException | LinkageError cause) {
      new Log(System.err).line("ERROR", "snapshot failed", "component", "snapshots", "error", cause);
    }
  }

  @Override
  public void lifeCycleStopping(LifeCycle application) {
    if (thread != null) {
      thread.shutdown();
      thread = null;
      snapshots.last();
    }
  }

  private static Map<String, Object> attributes(ServletContext context) {
    Map<String, Object> attributes = new HashMap<>();
    for (String name : Collections.list(context.getAttributeNames())) {
      attributes.put(name, context.getAttribute(name));
    }
    return attributes;
  }

  @Override
  public void lifeCycleStarting(LifeCycle application) {}

  @Override
  public void lifeCycleFailure(LifeCycle application, Throwable cause) {}

  @Override
  public void lifeCycleStopped(LifeCycle application) {}
}
