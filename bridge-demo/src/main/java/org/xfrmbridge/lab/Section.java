package org.xfrmbridge.lab;

import java.util.LinkedHashMap;
import java.util.Map;

/** A section of strongswan.conf or swanctl.conf: settings and sections below it, in the order they were put. */
public final class Section {
    private final Map<String, String> settings = new LinkedHashMap<>();
    private final Map<String, Section> sections = new LinkedHashMap<>();

    public Section put(String key, String value) {
        settings.put(key, value);
        return this;
    }

    /** Takes over all of {@code more}; later ones win. */
    public Section putAll(Map<String, String> more) {
        settings.putAll(more);
        return this;
    }

    /** The section of that name, made when absent. */
    public Section in(String name) {
        return sections.computeIfAbsent(name, key -> new Section());
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        write(text, "");
        return text.toString();
    }

    private void write(StringBuilder text, String indent) {
        settings.forEach((key, value) ->
                text.append(indent).append(key).append(" = ").append(value).append('\n'));
        sections.forEach((name, section) -> {
            text.append(indent).append(name).append(" {\n");
            section.write(text, indent + "    ");
            text.append(indent).append("}\n");
        });
    }
}
