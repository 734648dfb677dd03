package twip.guard;

import java.lang.reflect.Constructor;
import java.lang.reflect.Member;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What expressions may reach. Struts evaluates what visitors send, as OGNL (CVE-2010-1870, CVE-2013-2251 and others), and
 * whatever its encoding, an attack has to reach for a class, a constructor, a static member or an object that leads out of
 * the page's own data. Pages need none of them.
 */
public final class Rules {
  private Rules() {}

  /**
   * Types that lead out of a page's data, whether by their own members or by what those return. Struts' results,
   * interceptors and tags are not among them: Struts sets their properties with OGNL when it starts.
   */
  private static final Pattern OUTSIDE =
      Pattern.compile(
          "(java\\.lang\\.(?!(String|Number|Integer|Long|Short|Byte|Double|Float|Boolean|Character|Enum|Iterable|"
              + "CharSequence|Comparable|Object|Record)$).*)"
              + "|java\\.(io|nio|net|rmi|beans|applet|awt|security|sql\\.(?!(Date|Time|Timestamp)$)|util\\."
              + "(concurrent|jar|zip|logging|prefs|ServiceLoader|Timer|Scanner|ResourceBundle)).*"
              + "|(javax|jakarta|sun|com\\.sun|jdk|org\\.xml|org\\.w3c|ognl|javassist|freemarker|groovy|bsh|twip)\\..*"
              + "|org\\.(apache\\.(velocity|jasper|tomcat|commons|catalina)|eclipse\\.jetty|springframework)\\..*"
              + "|com\\.opensymphony\\.xwork2\\.((ognl|inject|spring|util\\.(reflection|finder|fs|classloader))\\..*"
              + "|util\\.(Ognl|ValueStack|Compound|ClassLoader|FileManager).*|.*Object(Type)?Factory"
              + "|(ActionContext|ActionInvocation|ActionProxy|DefaultAction).*)"
              + "|org\\.apache\\.struts2\\.(ServletActionContext|util\\.(StrutsUtil|ObjectFactoryDestroyable)"
              + "|dispatcher\\.(Dispatcher|ApplicationMap|SessionMap|RequestMap|StrutsRequestWrapper|mapper\\..*"
              + "|multipart\\..*))");

  /** Methods that lead to a class, stop a thread, or make something of any size out of a short expression. */
  private static final Set<String> METHODS =
      Set.of("getClass", "wait", "notify", "notifyAll", "finalize", "clone", "getClassLoader", "getProtectionDomain",
          "repeat", "pow", "shiftLeft", "setScale", "movePointLeft", "movePointRight", "ensureCapacity", "nCopies");

  /** Variables that are OGNL's own and not the page's. */
  private static final Set<String> OWN_VARIABLES =
      Set.of("context", "_memberaccess", "_classresolver", "_typeconverter", "_traceevaluations", "_lastevaluation",
          "_keeplastevaluation");

  /** May an expression use this member of this object? */
  public static boolean allows(Object target, Member member) {
    if (member instanceof Constructor || Modifier.isStatic(member.getModifiers())) {
      return false;
    }
    if (!Modifier.isPublic(member.getModifiers()) || METHODS.contains(member.getName())) {
      return false;
    }
    if (member instanceof Method method && outside(method.getReturnType())) {
      return false;
    }
    return !outside(member.getDeclaringClass()) && (target == null || !outside(target.getClass()));
  }

  /** Is it one of the types that lead out of a page's data? */
  static boolean outside(Class<?> type) {
    return !type.isArray() && OUTSIDE.matcher(type.getName()).matches();
  }

  /** May an expression use the variable of this name? */
  public static boolean allowsVariable(String name) {
    return !OWN_VARIABLES.contains(name.toLowerCase(Locale.ROOT));
  }
}
