package foreign;

import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.util.ArrayList;
import java.util.Collections;
import javax.servlet.Filter;
import javax.servlet.FilterChain;
import javax.servlet.FilterConfig;
import javax.servlet.ServletException;
import javax.servlet.ServletRequest;
import javax.servlet.ServletResponse;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;

/** A front controller in the manner of Struts 2.1: a filter for everything, which answers *.action and passes the rest on. */
public class Dispatcher implements Filter {
  private final File directory = new File("/Users/dcameron/persistence/files*");
  private final File snapshot = new File(directory, "0000000000000000001.snapshot");
  private ArrayList<String> titles = new ArrayList<String>();

  /** Cannot be written to a session store. */
  private static class Unserializable {}

  @SuppressWarnings("unchecked")
  public void init(FilterConfig config) throws ServletException {
    directory.mkdirs();
    if (!snapshot.exists()) {
      return;
    }
    try (ObjectInputStream in = new ObjectInputStream(new FileInputStream(snapshot))) {
      titles = (ArrayList<String>) in.readObject();
    } catch (IOException cause) {
      throw new ServletException(cause);
    } catch (ClassNotFoundException cause) {
      throw new ServletException(cause);
    }
  }

  /** Takes its time, as a snapshot of much data does. */
  public void destroy() {
    try (ObjectOutputStream out = new ObjectOutputStream(new FileOutputStream(snapshot))) {
      Thread.sleep(6000);
      out.writeObject(titles);
    } catch (IOException cause) {
      throw new RuntimeException(cause);
    } catch (InterruptedException cause) {
      throw new RuntimeException("the stop was cut short", cause);
    }
  }

  public void doFilter(ServletRequest plainRequest, ServletResponse plainResponse, FilterChain chain)
      throws IOException, ServletException {
    HttpServletRequest request = (HttpServletRequest) plainRequest;
    HttpServletResponse response = (HttpServletResponse) plainResponse;
    if (request.getServletPath().equals("/Post.action")) {
      titles.add(request.getParameter("title"));
      request.getSession().setAttribute("unserializable", new Unserializable());
      response.sendRedirect("Read.action");
    } else if (request.getServletPath().equals("/Read.action")) {
      request.setAttribute("titles", Collections.unmodifiableList(titles));
      request.setAttribute("iterator", titles.iterator());
      request.getRequestDispatcher("/WEB-INF/read.jsp").forward(request, response);
    } else {
      chain.doFilter(request, response);
    }
  }
}
