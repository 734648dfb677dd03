<%@ page session="false" contentType="text/plain" %>here
