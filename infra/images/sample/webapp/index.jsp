<%@ page contentType="text/html; charset=UTF-8" pageEncoding="UTF-8" session="false" %>
<%@ taglib prefix="c" uri="http://java.sun.com/jsp/jstl/core" %>
<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>companyNews</title>
  <link rel="stylesheet" href="/styles/site.css">
</head>
<body>
  <header><img src="/images/logo.svg" alt="" width="48" height="48"><h1>companyNews</h1></header>
  <nav><a href="Read.action">All articles</a></nav>
  <main>
    <h2>Post an article</h2>
    <c:if test="${not empty problem}"><p class="problem"><c:out value="${problem}"/></p></c:if>
    <form action="Post.action" method="post">
      <label for="title">Title</label>
      <input id="title" name="title" maxlength="200" required>
      <label for="body">Text</label>
      <textarea id="body" name="body" rows="8"></textarea>
      <button>Post</button>
    </form>
  </main>
  <footer>This is the sample that stands in until companyNews.war is there.</footer>
</body>
</html>
