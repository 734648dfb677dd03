package twip.snapshots;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;

/** A Prevayler of the application, which is known by the name of its interface only: its classes are in the WAR. */
final class Handle {
  private static final String INTERFACE = "org.prevayler.Prevayler";

  private final Object prevayler;
  private final Method takeSnapshot;

  private Handle(Object prevayler, Method takeSnapshot) {
    this.prevayler = prevayler;
    this.takeSnapshot = takeSnapshot;
  }

  /** Null if the object is no Prevayler. */
  static Handle of(Object object) {
    if (object == null) {
      return null;
    }
    for (Class<?> type = object.getClass(); type != null; type = type.getSuperclass()) {
      Method method = find(type);
      if (method != null) {
        return new Handle(object, method);
      }
    }
    return null;
  }

  /** The interface's method and not the class's, which need not be public. */
  private static Method find(Class<?> type) {
    if (type.isInterface() && type.getName().equals(INTERFACE)) {
      try {
        return type.getMethod("takeSnapshot");
      } catch (NoSuchMethodException unknown) {
        return null;
      }
    }
    for (Class<?> parent : type.getInterfaces()) {
      Method method = find(parent);
      if (method != null) {
        return method;
      }
    }
    return null;
  }

  boolean isOf(Object object) {
    return prevayler == object;
  }

  String className() {
    return prevayler.getClass().getName();
  }

  /** Returns when the snapshot is written. Throws what Prevayler throws. */
  void takeSnapshot() throws Throwable {
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    // Serializers of Prevayler look for the application's classes here.
    thread.setContextClassLoader(prevayler.getClass().getClassLoader());
    try {
      takeSnapshot.invoke(prevayler);
    } catch (InvocationTargetException thrown) {
      throw thrown.getCause();
    } finally {
      thread.setContextClassLoader(before);
    }
  }
}
