package com.opensymphony.xwork2;

/** Stands for Struts' class of this name, from which everything can be reached. */
public final class ActionContext {
  public String getSecret() {
    return "secret";
  }
}
