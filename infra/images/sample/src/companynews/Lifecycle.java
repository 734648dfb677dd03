package companynews;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import javax.servlet.ServletContext;
import javax.servlet.ServletContextEvent;
import javax.servlet.ServletContextListener;

/** Opens the news when the application starts and takes the snapshot when it is stopped in an orderly way. */
public final class Lifecycle implements ServletContextListener {
  private static final String ATTRIBUTE = "companynews.prevalence";

  /** The asterisk is part of the name, as in companyNews. */
  private static final File DIRECTORY = new File("/Users/dcameron/persistence/files*");

  static Prevalence prevalence(ServletContext context) {
    return (Prevalence) context.getAttribute(ATTRIBUTE);
  }

  @Override
  public void contextInitialized(ServletContextEvent event) {
    try {
      event.getServletContext().setAttribute(ATTRIBUTE, new Prevalence(DIRECTORY));
    } catch (IOException cause) {
      throw new UncheckedIOException("companyNews refuses to start: " + cause.getMessage(), cause);
    }
  }

  @Override
  public void contextDestroyed(ServletContextEvent event) {
    Prevalence prevalence = prevalence(event.getServletContext());
    if (prevalence == null) {
      return;
    }
    try {
      prevalence.close();
    } catch (IOException cause) {
      throw new UncheckedIOException("companyNews could not write its snapshot: the next start replays the journals", cause);
    }
  }
}
