package ognl;

/** `@class@field`, which no page needs, and which OGNL reaches without asking its member access for all of it. */
public class ASTStaticField extends StaticMember {
  private static final long serialVersionUID = 1;

  public ASTStaticField(int id) {
    super(id);
  }

  public ASTStaticField(OgnlParser parser, int id) {
    super(parser, id);
  }

  // The parser names this class when it calls the method.
  @Override
  void init(String className, String name) {}
}
