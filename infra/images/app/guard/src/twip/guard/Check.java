package twip.guard;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.HashMap;
import java.util.Map;

/**
 * Run once when the image is built, with the guard before the web application's libraries on the class path: tries the guard
 * on the OGNL that the application brings. Ends with 0 when the guard works there or there is no OGNL, and says which;
 * otherwise with 1, and the image is not made.
 */
public final class Check {
  private Check() {}

  /** What must be refused, whatever version it is. */
  private static final String[] ATTACKS = {
    "new java.util.Date()", "new int[1000]", "@java.lang.Runtime@getRuntime()", "@java.io.File@separator",
    "@java.lang.System@class", "#root.getClass()", "class", "#context", "#_memberAccess", "#_memberAccess.allowPrivateAccess",
  };

  public static void main(String[] args) throws Exception {
    Class<?> ognl;
    try {
      ognl = Class.forName("ognl.Ognl");
    } catch (ClassNotFoundException e) {
      System.out.println("The web application brings no OGNL: there is nothing to guard.");
      return;
    }
    String from = String.valueOf(ognl.getProtectionDomain().getCodeSource().getLocation());
    String problem = problem(ognl);
    if (problem != null) {
      System.err.println("The guard does not work with the web application's OGNL, " + from + ": " + problem + ".\n"
          + "It knows OGNL 2.6 to 2.7 (Struts 2.0 and 2.1). Use such a version, or adapt infra/images/app/guard.");
      System.exit(1);
    }
    System.out.println("The guard stands before the web application's OGNL, " + from + ".");
  }

  private static String problem(Class<?> ognl) throws ReflectiveOperationException {
    Method getValue = ognl.getMethod("getValue", String.class, Map.class, Object.class);
    for (String attack : ATTACKS) {
      try {
        Object value = getValue.invoke(null, attack, context(ognl), "text");
        return "the expression " + attack + " gave " + value;
      } catch (InvocationTargetException e) {
        if (!e.getCause().getClass().getName().startsWith("ognl.")) {
          return "the expression " + attack + " failed with " + e.getCause();
        }
      }
    }
    Map<String, String> page = new HashMap<>(Map.of("title", "news"));
    try {
      Object read = getValue.invoke(null, "title.length() + 1", context(ognl), page);
      return "5".equals(String.valueOf(read)) ? null : "title.length() + 1 gave " + read;
    } catch (InvocationTargetException e) {
      return "an honest expression failed with " + e.getCause();
    }
  }

  private static Map<?, ?> context(Class<?> ognl) throws ReflectiveOperationException {
    return (Map<?, ?>) ognl.getMethod("createDefaultContext", Object.class).invoke(null, "text");
  }
}
