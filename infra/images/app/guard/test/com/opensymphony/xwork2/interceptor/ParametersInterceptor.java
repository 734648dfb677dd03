package com.opensymphony.xwork2.interceptor;

/** Stands for Struts' class of this name, a property of which Struts sets with OGNL when it starts. */
public final class ParametersInterceptor {
  private String excludeParams;

  public String getExcludeParams() {
    return excludeParams;
  }

  public void setExcludeParams(String excludeParams) {
    this.excludeParams = excludeParams;
  }
}
