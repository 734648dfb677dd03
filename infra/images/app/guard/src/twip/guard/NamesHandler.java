package twip.guard;

import java.io.IOException;
import java.util.Enumeration;
import java.util.Locale;
import javax.servlet.ServletException;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;
import org.eclipse.jetty.http.BadMessageException;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.handler.HandlerWrapper;

/**
 * Refuses requests with parameter names that Struts must not see, before the web application is reached. Uploads
 * (multipart) are refused unless they are allowed: Struts would read names out of them that nobody here has seen.
 */
public final class NamesHandler extends HandlerWrapper {
  private final boolean uploads = "true".equals(System.getenv("TWIP_UPLOADS"));

  @Override
  public void handle(String target, Request base, HttpServletRequest request, HttpServletResponse response)
      throws IOException, ServletException {
    String type = request.getContentType();
    if (type != null && type.strip().toLowerCase(Locale.ROOT).startsWith("multipart/") && !uploads) {
      refuse(base, response, 415, "uploads are not taken here", target);
      return;
    }
    try {
      for (Enumeration<String> names = request.getParameterNames(); names.hasMoreElements(); ) {
        String reason = Names.refusal(names.nextElement());
        if (reason != null) {
          refuse(base, response, 403, reason, target);
          return;
        }
      }
    } catch (BadMessageException | IllegalStateException | IllegalArgumentException e) {
      // Parameters that Jetty cannot read are none that Struts should try to read in another way.
      refuse(base, response, 400, "parameters that cannot be read", target);
      return;
    }
    super.handle(target, base, request, response);
  }

  private static void refuse(Request base, HttpServletResponse response, int status, String reason, String target)
      throws IOException {
    Refusals.note("name: " + reason, target);
    base.setHandled(true);
    response.setStatus(status);
    response.setContentType("text/plain;charset=utf-8");
    response.getWriter().print("This request is refused: " + reason + ".\n");
  }
}
