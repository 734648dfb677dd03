package ognl;

import twip.guard.Refusals;

/** `new X(…)` and `new x[…]`, which no page needs: an array of any length would be made without asking anybody. */
public class ASTCtor extends SimpleNode {
  private static final long serialVersionUID = 1;

  public ASTCtor(int id) {
    super(id);
  }

  public ASTCtor(OgnlParser parser, int id) {
    super(parser, id);
  }

  void setClassName(String className) {}

  void setArray(boolean array) {}

  public boolean isArray() {
    return false;
  }

  @Override
  protected Object getValueBody(OgnlContext context, Object source) throws OgnlException {
    Refusals.note("constructor", "");
    throw new OgnlException("expressions make no objects here");
  }
}
