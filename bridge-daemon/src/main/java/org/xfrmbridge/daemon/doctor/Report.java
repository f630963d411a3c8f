package org.xfrmbridge.daemon.doctor;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.util.List;
import java.util.stream.Collectors;

/**
 * All that was found.
 *
 * @param kernel its release
 * @param container what kind of container this is; null for none that can be seen
 */
public record Report(String kernel, String container, boolean asRoot, List<Diagnosis> diagnoses) {
    private static final Gson JSON = new GsonBuilder()
            .setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES)
            .setPrettyPrinting()
            .disableHtmlEscaping()
            .create();

    /** 0 if nothing hinders a bridge, else 1. */
    public int exitCode() {
        return diagnoses.stream().anyMatch(diagnosis -> diagnosis.verdict() == Diagnosis.Verdict.WRONG) ? 1 : 0;
    }

    public String toJson() {
        return JSON.toJson(this) + '\n';
    }

    /** A line for each, as {@code status} has them. */
    @Override
    public String toString() {
        return "Linux %s, %s, %s%n%s%n%n%s%n"
                .formatted(
                        kernel,
                        container == null ? "no container" : "in a container (" + container + ')',
                        asRoot ? "asked as root" : "asked without root, who sees more",
                        diagnoses.stream().map(Diagnosis::toString).collect(Collectors.joining("\n")),
                        exitCode() == 0
                                ? "A bridge can run here: xfrm-bridge run"
                                : "Mend what is WRONG, then: xfrm-bridge run");
    }
}
