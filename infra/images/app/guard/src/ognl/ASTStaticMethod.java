package ognl;

/** `@class@method(…)`, which no page needs, and which OGNL reaches without asking its member access for all of it. */
public class ASTStaticMethod extends StaticMember {
  private static final long serialVersionUID = 1;

  public ASTStaticMethod(int id) {
    super(id);
  }

  public ASTStaticMethod(OgnlParser parser, int id) {
    super(parser, id);
  }

  // The parser names this class when it calls the method.
  @Override
  void init(String className, String name) {}
}
