[description]
Holds names of parameters to what forms have, and keeps expressions of Struts (OGNL) to the page's own data. What uses it is
in webapps/ROOT.xml.

[depend]
server

[lib]
lib/guard.jar
