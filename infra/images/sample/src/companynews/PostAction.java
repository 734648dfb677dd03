package companynews;

import java.io.IOException;
import javax.servlet.ServletException;
import javax.servlet.http.HttpServlet;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;

/** Posts an article and shows all of them. */
public final class PostAction extends HttpServlet {
  private static final long serialVersionUID = 1L;

  @Override
  protected void doPost(HttpServletRequest request, HttpServletResponse response)
      throws ServletException, IOException {
    request.setCharacterEncoding("UTF-8");
    String title = request.getParameter("title");
    String body = request.getParameter("body");
    if (title == null || title.isBlank()) {
      response.setStatus(HttpServletResponse.SC_BAD_REQUEST);
      request.setAttribute("problem", "An article needs a title.");
      request.getRequestDispatcher("/index.jsp").forward(request, response);
      return;
    }
    Lifecycle.prevalence(getServletContext()).post(title.strip(), body == null ? "" : body);
    request.getSession().setAttribute("lastTitle", title.strip());
    response.sendRedirect("Read.action");
  }
}
