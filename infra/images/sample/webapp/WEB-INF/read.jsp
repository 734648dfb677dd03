<%@ page contentType="text/html; charset=UTF-8" pageEncoding="UTF-8" session="false" %>
<%@ taglib prefix="c" uri="http://java.sun.com/jsp/jstl/core" %>
<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>companyNews: all articles</title>
  <link rel="stylesheet" href="/styles/site.css">
</head>
<body>
  <header><img src="/images/logo.svg" alt="" width="48" height="48"><h1>companyNews</h1></header>
  <nav><a href="./">Post an article</a></nav>
  <main>
    <c:if test="${not empty lastTitle}"><p class="last">Your last post: <c:out value="${lastTitle}"/></p></c:if>
    <c:if test="${empty articles}"><p>No news yet.</p></c:if>
    <c:forEach var="article" items="${articles}">
    <article>
      <h2><c:out value="${article.title}"/></h2>
      <time datetime="${article.timestamp}">${article.timestamp}</time>
      <p><c:out value="${article.body}"/></p>
    </article>
    </c:forEach>
  </main>
</body>
</html>
