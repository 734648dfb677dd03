<%@ taglib prefix="s" uri="/foreign-tags" %><%@ taglib prefix="c" uri="http://java.sun.com/jsp/jstl/core" %>
<html><body>
<p>Titles: <s:property of="titles" name="toString"/> (<s:property of="titles" name="size"/>), more: <s:property of="iterator" name="hasNext"/></p>
<c:forEach items="${titles}" var="title"><p><c:out value="${title}"/></p></c:forEach>
</body></html>
