package twip.guard;

import com.opensymphony.xwork2.ActionContext;
import com.opensymphony.xwork2.interceptor.ParametersInterceptor;
import companynews.Page;
import java.io.File;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import ognl.Ognl;
import ognl.OgnlException;
import org.apache.struts2.dispatcher.ServletDispatcherResult;

/**
 * Evaluates attacks and honest expressions with real OGNL. With "control" on the command line the guard is not on the class
 * path, and the attacks have to fire: a test in which they could not would show nothing.
 */
public final class GuardTest {
  private GuardTest() {}

  private static File trace;

  public static void main(String[] args) throws Exception {
    boolean control = args.length > 0 && args[0].equals("control");
    trace = File.createTempFile("fired", "");
    int tried = 0;
    List<String> fired = new ArrayList<>();
    for (String attack : attacks()) {
      tried++;
      if (fires(attack)) {
        fired.add(attack);
      }
    }
    System.out.println(fired.size() + " of " + tried + " attacks fire " + (control ? "without" : "with") + " the guard");
    check(tried >= 400, "there are only " + tried + " attacks");
    if (control) {
      check(fired.size() >= 350, "the attacks are none: " + fired.size() + " fire");
      return;
    }
    check(fired.isEmpty(), "these fire: " + fired);
    for (String honest : List.of("title", "title.length() > 3", "articles.size()", "articles[0]", "articles[0].length()",
        "#user", "#user = 'a', #user", "title + ' by ' + #user", "articles.{#this.length()}", "1 + 2", "{1, 2}.size()",
        "#{'ab': 1}.ab", "title == null ? 'none' : title", "titleOf(articles[0])", "count * 2", "#root.title", "posted.time", "posted.toString()")) {
      Object value = Ognl.getValue(honest, context(), page());
      check(value != null, honest + " gave nothing");
    }
    Page page = page();
    Ognl.setValue("title", context(), page, "new title");
    Ognl.setValue("articles[0]", context(), page, "first");
    check(page.getTitle().equals("new title") && page.getArticles().get(0).equals("first"), "properties are not set");
    strutsStarts();
    names();
  }

  /** Struts sets the properties of what its configuration names with OGNL, and visitors reach none of its core. */
  private static void strutsStarts() throws OgnlException {
    ServletDispatcherResult result = new ServletDispatcherResult();
    Ognl.setValue("location", context(), result, "/index.jsp");
    check("/index.jsp".equals(result.getLocation()), "a result has no location");
    ParametersInterceptor interceptor = new ParametersInterceptor();
    Ognl.setValue("excludeParams", context(), interceptor, "dojo");
    check("dojo".equals(interceptor.getExcludeParams()), "an interceptor has no parameters");
    try {
      check(Ognl.getValue("secret", context(), new ActionContext()) == null, "Struts' context can be read");
    } catch (OgnlException e) {
      // as it should be
    }
  }

  /** Names of honest forms pass, those of attacks do not. */
  private static void names() {
    int honest = 0;
    for (String word : List.of("title", "body", "Überschrift", "タイトル", "заголовок", "q", "page_2", "first-name", "x.y",
        "user.address.street", "items[3].name", "map['key'].value", "__checkbox_agree", "__multiselect_tags", "items[]", "12:30",
        "method:save", "action:list", "submit.x", "classification", "sessionId", "topic", "top", "class", "session",
        "subclass.name", "a[9999]")) {
      for (int i = 0; i < 200; i++) {
        String name = i == 0 ? word : (i % 2 == 0 ? word + i : "f" + i + "." + word.replace(":", ""));
        if (name.contains(".class") && !name.contains(".classification")) {
          continue; // that is a path to a class
        }
        check(Names.refusal(name) == null, name + ": " + Names.refusal(name));
        honest++;
      }
    }
    check(honest >= 5000, "there are only " + honest + " honest names");
    List<String> passed = new ArrayList<>();
    int tried = 0;
    for (String attack : attacks()) {
      for (String name : List.of(attack, "redirect:${" + attack + "}", "action:%{" + attack + "}", "title[" + attack + "]")) {
        tried++;
        if (Names.refusal(name) == null) {
          passed.add(name);
        }
      }
    }
    for (String name : List.of("class.classLoader.context.contextPath", "top['a'].class", "[0].x", "session.user",
        "a.class.x", "items[2147483646].name", "items['99999'].x", "redirect:http://a", "a b", "a;b", "x".repeat(201))) {
      check(Names.refusal(name) != null, name + " is let through");
    }
    // What remains are words and indexes, as in honest names: they set a property, or nothing.
    passed.removeIf(name -> name.matches("[A-Za-z_.]*(\\[[A-Za-z]*\\])?"));
    check(passed.isEmpty(), "names of attacks are let through: " + passed);
    System.out.println(honest + " honest names pass, " + tried + " of attacks do not");
  }

  /** Every way into the server that is known for OGNL of this age, each in every wrapping that a parser unwraps. */
  private static Set<String> attacks() {
    String mark = trace == null ? "/tmp/x" : trace.getPath();
    List<String> ways = List.of(
        "@java.lang.System@setProperty('fired','1')",
        "@java.lang.Runtime@getRuntime().exec('touch " + mark + "')",
        "new java.lang.ProcessBuilder(new java.lang.String[]{'touch','" + mark + "'}).start()",
        "new java.lang.ProcessBuilder({'touch','" + mark + "'}).start()",
        "new java.io.FileOutputStream('" + mark + ".new')",
        "new java.io.File('" + mark + ".new').createNewFile()",
        "@java.lang.Class@forName('java.lang.Runtime')",
        "#root.getClass()", "#root.class", "#root.class.classLoader", "title.class.forName('java.lang.System')",
        "title.getClass().getClassLoader()", "@java.lang.Thread@currentThread()",
        "@java.lang.Thread@currentThread().getContextClassLoader()",
        "@java.lang.System@out", "@java.io.File@separator", "@java.lang.System@class", "@java.lang.Integer@MAX_VALUE",
        "new int[100000]", "new byte[10]", "new java.lang.String[5]", "new java.util.Date()", "new java.net.Socket()",
        "#context", "#_memberAccess", "#_classResolver", "#context['_memberAccess']", "#context.keySet()",
        "#_memberAccess.allowPrivateAccess", "title.repeat(2000000)", "10000000H.pow(1000000)", "stream()", "stream().class",
        "loader", "loader.loadClass('java.lang.System')", "kind", "kind.forName('java.lang.System')",
        "@java.net.InetAddress@getLocalHost()", "new java.util.Scanner('a')", "@java.util.concurrent.Executors@newCachedThreadPool()");
    Set<String> all = new LinkedHashSet<>();
    for (String way : ways) {
      all.add(way);
      all.add("(" + way + ")");
      all.add("{" + way + "}");
      all.add("1, " + way);
      all.add("true ? " + way + " : 0");
      all.add("#x = " + way);
      all.add("#x = " + way + ", #x");
      all.add("{1}.{" + (way.startsWith("#") || way.startsWith("@") || way.startsWith("new") ? way : "#root." + way) + "}");
      all.add("#f = :[" + way + "], #f(1)");
      all.add("('" + way.replace("'", "\\'") + "')(#root)");
      all.add(way.replace("@", "\\u0040").replace("#", "\\u0023"));
      all.add("#{'a': " + way + "}");
      all.add("{" + way + "}[0]");
    }
    return all;
  }

  /** Did the expression do, or give, what no page needs? */
  private static boolean fires(String expression) throws Exception {
    System.clearProperty("fired");
    trace.delete();
    File made = new File(trace.getPath() + ".new");
    made.delete();
    Object value;
    try {
      value = Ognl.getValue(expression, context(), page());
    } catch (OgnlException | RuntimeException | StackOverflowError e) {
      value = null;
    }
    if (value instanceof Process p) {
      p.waitFor();
    }
    boolean found = System.getProperty("fired") != null || trace.exists() || made.exists() || leadsOut(value, 0);
    made.delete();
    return found;
  }

  private static boolean leadsOut(Object value, int depth) {
    if (value == null || depth > 3) {
      return false;
    }
    if (value instanceof Map<?, ?> map) {
      return map.getClass().getName().startsWith("ognl.") || leadsOut(new ArrayList<Object>(map.values()), depth + 1);
    }
    if (value instanceof Collection<?> many) {
      return many.stream().anyMatch(one -> leadsOut(one, depth + 1));
    }
    if (value instanceof String text) {
      return text.length() > 1_000_000 || text.equals(File.separator);
    }
    String type = value.getClass().getName();
    return value.getClass().isArray() || type.startsWith("ognl.") || Rules.outside(value.getClass())
        || value instanceof java.util.Date || value instanceof java.util.Scanner || value.equals(Integer.MAX_VALUE)
        || value instanceof java.math.BigInteger big && big.bitLength() > 1000;
  }

  private static Map<?, ?> context() {
    Map<Object, Object> variables = new HashMap<>();
    variables.put("user", "me");
    return Ognl.addDefaultContext(null, variables);
  }

  private static Page page() {
    return new Page();
  }

  private static void check(boolean ok, String message) {
    if (!ok) {
      throw new AssertionError(message);
    }
  }
}
