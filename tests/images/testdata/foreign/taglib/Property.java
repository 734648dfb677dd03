package foreign.tags;

import java.io.IOException;
import java.lang.reflect.Method;
import javax.servlet.jsp.JspException;
import javax.servlet.jsp.tagext.TagSupport;

/** Writes a property of a request attribute, found by reflection and made accessible, as OGNL does it. */
public class Property extends TagSupport {
  private static final long serialVersionUID = 1L;
  private String of;
  private String name;

  public void setOf(String of) {
    this.of = of;
  }

  public void setName(String name) {
    this.name = name;
  }

  public int doStartTag() throws JspException {
    try {
      Object target = pageContext.getRequest().getAttribute(of);
      Method method = target.getClass().getMethod(name);
      method.setAccessible(true);
      pageContext.getOut().print(String.valueOf(method.invoke(target)).replace("&", "&amp;").replace("<", "&lt;"));
    } catch (IOException cause) {
      throw new JspException(cause);
    } catch (ReflectiveOperationException cause) {
      throw new JspException(cause);
    }
    return SKIP_BODY;
  }
}
