package ognl;

import twip.guard.Refusals;

/** What OGNL's two kinds of static members have in common here: they are refused. */
abstract class StaticMember extends SimpleNode implements NodeType {
  private static final long serialVersionUID = 1;

  StaticMember(int id) {
    super(id);
  }

  StaticMember(OgnlParser parser, int id) {
    super(parser, id);
  }

  abstract void init(String className, String name);

  @Override
  protected Object getValueBody(OgnlContext context, Object source) throws OgnlException {
    Refusals.note("static member", "");
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
