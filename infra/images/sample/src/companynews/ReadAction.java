package companynews;

import java.io.IOException;
import javax.servlet.ServletException;
import javax.servlet.http.HttpServlet;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;
import javax.servlet.http.HttpSession;

/** Shows all articles. */
public final class ReadAction extends HttpServlet {
  private static final long serialVersionUID = 1L;

  @Override
  protected void doGet(HttpServletRequest request, HttpServletResponse response)
      throws ServletException, IOException {
    request.setAttribute("articles", Lifecycle.prevalence(getServletContext()).newestFirst());
    HttpSession session = request.getSession(false);
    if (session != null) {
      request.setAttribute("lastTitle", session.getAttribute("lastTitle"));
    }
    response.setHeader("Cache-Control", "no-store");
    request.getRequestDispatcher("/WEB-INF/read.jsp").forward(request, response);
  }
}
