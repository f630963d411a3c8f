package org.xfrmbridge.daemon.control;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.helpers.MessageFormatter;

/** A log that is kept. */
final class LinesOfLog {
    final List<String> lines = new ArrayList<>();

    final Logger logger = (Logger) Proxy.newProxyInstance(
            Logger.class.getClassLoader(), new Class<?>[] {Logger.class}, (proxy, method, arguments) -> {
                Object[] values = arguments.length == 2 && arguments[1] instanceof Object[] all
                        ? all
                        : List.of(arguments).subList(1, arguments.length).toArray();
                lines.add(MessageFormatter.arrayFormat((String) arguments[0], values)
                        .getMessage());
                return null;
            });
}
