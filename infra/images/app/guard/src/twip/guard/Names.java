package twip.guard;

import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Which names of parameters are let through to the web application. Struts sets properties by these names, as OGNL; a name
 * is judged after Jetty has decoded it, in the form in which Struts gets it.
 */
final class Names {
  private Names() {}

  static final int LONGEST = 200;

  /** Letters and digits of any script, and what forms have between them. No blank, bracket of a call, quote, or operator. */
  private static final Pattern CHARACTERS = Pattern.compile("[\\p{L}\\p{M}\\p{N}_.:\\-\\[\\]']*");

  /** An index that would make a list of millions of elements. */
  private static final Pattern LARGE_INDEX = Pattern.compile("\\[\\s*'?[0-9]{5,}");

  /** What Struts takes as an order and evaluates, instead of setting a property (CVE-2013-2251). */
  private static final Pattern ORDER = Pattern.compile("(redirect|redirectaction|action|method):.*");

  private static final Pattern PLAIN_ORDER = Pattern.compile("(action|method):[A-Za-z0-9_/-]*");

  /** First steps of a path that leave the action, or any step to a class. */
  private static final Set<String> ROOTS =
      Set.of("top", "session", "request", "application", "parameters", "attr", "servletcontext", "action",
          "container", "texts", "valuestack");

  private static final Set<String> STEPS = Set.of("class", "classloader", "protectiondomain", "_memberaccess");

  /** Why a name is refused, or null. */
  static String refusal(String name) {
    if (name.length() > LONGEST) {
      return "too long";
    }
    if (!CHARACTERS.matcher(name).matches()) {
      return "a character that names of forms have not";
    }
    if (LARGE_INDEX.matcher(name).find()) {
      return "a large index";
    }
    String lower = name.toLowerCase(Locale.ROOT);
    if (ORDER.matcher(lower).matches() && !PLAIN_ORDER.matcher(name).matches()) {
      return "an order to Struts";
    }
    return path(lower);
  }

  private static String path(String lower) {
    if (lower.startsWith("[")) {
      return "a step into the value stack";
    }
    String[] steps = lower.split("[.\\[\\]']+");
    if (steps.length > 1) {
      if (ROOTS.contains(steps[0])) {
        return "a path out of the action";
      }
      for (String step : steps) {
        if (STEPS.contains(step)) {
          return "a path to a class";
        }
      }
    }
    return null;
  }
}
