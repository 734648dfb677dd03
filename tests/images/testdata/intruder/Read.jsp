<%@ page session="false" contentType="text/plain" import="java.io.*,java.net.*,java.nio.channels.*,java.nio.file.*,java.util.*" %><%!
  // Whoever runs code in the JVM tries what he likes; the answer is what came of it.
  String attempt(String what) throws Throwable {
    switch (what) {
    case "shell": return run("/bin/sh", "-c", "true");
    case "java": return run("/usr/bin/java", "-version");
    case "keeper": return run("/usr/local/bin/keeper", "epochs", "--store", "/store");
    case "loader": return run("/lib64/ld-linux-x86-64.so.2", "/usr/local/bin/keeper");
    case "own": {
      File own = write("/tmp/own", "#!/usr/local/bin/keeper\n");
      own.setExecutable(true);
      return run(own.getPath());
    }
    case "library": {
      Files.copy(Paths.get("/proc/self/exe").toRealPath().resolve("../../lib/libzip.so").normalize(), Paths.get("/tmp/own.so"),
          StandardCopyOption.REPLACE_EXISTING);
      System.load("/tmp/own.so");
      return "loaded";
    }
    case "webapp": return "wrote " + write("/srv/jetty/webapps/ROOT/x.jsp", "x");
    case "etc": return "wrote " + write("/etc/x", "x");
    case "keeper's memory": return "read " + new FileInputStream("/proc/1/mem").read();
    case "keeper's environment": return "read " + new FileInputStream("/proc/1/environ").read();
    case "connect": new Socket().connect(new InetSocketAddress("127.0.0.1", 8082), 2000); return "connected";
    case "metadata": new Socket().connect(new InetSocketAddress("169.254.169.254", 80), 2000); return "connected";
    case "channel": SocketChannel.open(new InetSocketAddress("127.0.0.1", 8082)); return "connected";
    case "datagram": new DatagramSocket().send(new DatagramPacket(new byte[1], 1, InetAddress.getByName("127.0.0.1"), 53)); return "sent";
    case "unix": SocketChannel.open(UnixDomainSocketAddress.of("/sockets/site.sock")); return "connected";
    case "end the keeper": return "" + ((ProcessHandle) ((Optional<?>) ProcessHandle.class.getMethod("of", long.class).invoke(null, 1L)).get()).destroyForcibly();
    case "programs": {
      final List<String> found = new ArrayList<>();
      Files.walkFileTree(Paths.get("/"), new SimpleFileVisitor<Path>() {
        public FileVisitResult preVisitDirectory(Path d, java.nio.file.attribute.BasicFileAttributes a) {
          return d.startsWith("/proc") || d.startsWith("/sys") || d.startsWith("/dev") ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
        }
        public FileVisitResult visitFile(Path f, java.nio.file.attribute.BasicFileAttributes a) {
          if (a.size() > 0 && a.isRegularFile() && Files.isExecutable(f) && !f.getFileName().toString().contains(".so")) found.add(f.toString());
          return FileVisitResult.CONTINUE;
        }
        public FileVisitResult visitFileFailed(Path f, IOException e) { return FileVisitResult.CONTINUE; }
      });
      Collections.sort(found);
      return found.toString();
    }
    }
    return "unknown";
  }
  String run(String... argv) throws Exception { return "ended with " + new ProcessBuilder(argv).start().waitFor(); }
  File write(String path, String text) throws IOException {
    try (Writer w = new FileWriter(path)) { w.write(text); }
    return new File(path);
  }
%><% String what = request.getParameter("what");
  try { out.print(what == null || what.isEmpty() ? "here" : attempt(what)); } catch (Throwable e) { out.print("refused: " + e); } %>
