[description]
Has the web application's Prevayler take snapshots while it runs. What uses it is in webapps/ROOT.xml.

[depend]
server

[lib]
lib/snapshots.jar
