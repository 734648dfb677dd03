package ognl;

import ognl.enhance.OrderedReturn;
import twip.guard.Refusals;
import twip.guard.Rules;

/** `#name`: the page's variables, but not OGNL's own, by which an expression could change what it is allowed. */
public class ASTVarRef extends SimpleNode implements NodeType, OrderedReturn {
  private static final long serialVersionUID = 1;

  private String name = "";

  public ASTVarRef(int id) {
    super(id);
  }

  public ASTVarRef(OgnlParser parser, int id) {
    super(parser, id);
  }

  void setName(String name) {
    this.name = name;
  }

  @Override
  protected Object getValueBody(OgnlContext context, Object source) throws OgnlException {
    check();
    return context.get(name);
  }

  @Override
  protected void setValueBody(OgnlContext context, Object target, Object value) throws OgnlException {
    check();
    context.put(name, value);
  }

  private void check() throws OgnlException {
    if (!Rules.allowsVariable(name)) {
      Refusals.note("variable", "");
      throw new OgnlException("this variable is not the page's");
    }
  }

  @Override
  @SuppressWarnings("rawtypes") // the interface is of 2004
  public Class getGetterClass() {
    return Object.class;
  }

  @Override
  @SuppressWarnings("rawtypes")
  public Class getSetterClass() {
    return Object.class;
  }

  @Override
  public String getCoreExpression() {
    return null;
  }

  @Override
  public String getLastExpression() {
    return null;
  }

  @Override
  public String toString() {
    return "#" + name;
  }
}
