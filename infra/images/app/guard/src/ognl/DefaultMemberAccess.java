package ognl;

import java.lang.reflect.Member;
import java.util.Map;
import twip.guard.Refusals;
import twip.guard.Rules;

/**
 * Stands before OGNL's class of the same name on the web application's class path. OGNL asks it before it calls a method
 * or a constructor or reads a property; Struts' own class asks it as its superclass. What makes private members accessible
 * is gone: no page needs them.
 */
public class DefaultMemberAccess implements MemberAccess {
  public boolean allowPrivateAccess;
  public boolean allowProtectedAccess;
  public boolean allowPackageProtectedAccess;

  public DefaultMemberAccess(boolean allowAllAccess) {}

  public DefaultMemberAccess(boolean privateAccess, boolean protectedAccess, boolean packageProtectedAccess) {}

  public boolean getAllowPrivateAccess() {
    return false;
  }

  public void setAllowPrivateAccess(boolean value) {}

  public boolean getAllowProtectedAccess() {
    return false;
  }

  public void setAllowProtectedAccess(boolean value) {}

  public boolean getAllowPackageProtectedAccess() {
    return false;
  }

  public void setAllowPackageProtectedAccess(boolean value) {}

  @SuppressWarnings("rawtypes") // the interface is of 2004
  public Object setup(Map context, Object target, Member member, String propertyName) {
    return null;
  }

  @SuppressWarnings("rawtypes")
  public void restore(Map context, Object target, Member member, String propertyName, Object state) {}

  @SuppressWarnings("rawtypes")
  public boolean isAccessible(Map context, Object target, Member member, String propertyName) {
    boolean allowed = Rules.allows(target, member);
    if (!allowed) {
      Refusals.note("member", member.getDeclaringClass().getName() + "." + member.getName());
    }
    return allowed;
  }
}
