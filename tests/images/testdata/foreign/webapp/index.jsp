<%@ page import="java.util.*" %><%
  /* Scriptlets, a session on every page and no encoding: pages of 2009. */
  session.setAttribute("visits", new Date());
%><html><body>foreign, for <%= request.getRemoteAddr() %> at <%= request.getRequestURL() %></body></html>
