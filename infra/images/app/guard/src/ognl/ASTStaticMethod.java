package ognl;

import twip.guard.Refusals;

/** `@class@method(…)`, which no page needs and which OGNL reaches without asking its member access for all of it. */
public class ASTStaticMethod extends SimpleNode implements NodeType {
  private static final long serialVersionUID = 1;

  public ASTStaticMethod(int id) {
    super(id);
  }

  public ASTStaticMethod(OgnlParser parser, int id) {
    super(parser, id);
  }

  void init(String className, String name) {}

  @Override
  protected Object getValueBody(OgnlContext context, Object source) throws OgnlException {
    Refusals.note("static method", "");
    throw new OgnlException("expressions reach no static members here");
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
}
