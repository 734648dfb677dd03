package org.apache.struts2.dispatcher;

/** Stands for Struts' class of this name, a property of which Struts sets with OGNL when it starts. */
public final class ServletDispatcherResult {
  private String location;

  public String getLocation() {
    return location;
  }

  public void setLocation(String location) {
    this.location = location;
  }
}
