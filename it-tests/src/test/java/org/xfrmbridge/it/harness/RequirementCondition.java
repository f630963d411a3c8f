package org.xfrmbridge.it.harness;

import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.platform.commons.support.AnnotationSupport;
import org.xfrmbridge.lab.Userland;

/**
 * Skips what {@link Requires} more than there is, and all of it if the {@link Userland} is not there. Each requirement
 * is looked at once per run.
 */
public final class RequirementCondition implements ExecutionCondition {
    private static final Map<Requirement, Optional<String>> MISSING = new EnumMap<>(Requirement.class);
    private static final Optional<String> USERLAND_MISSING = Userland.missing();

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
        return context.getElement()
                .flatMap(element -> AnnotationSupport.findAnnotation(element, Requires.class))
                .map(RequirementCondition::evaluate)
                .orElseGet(() -> ConditionEvaluationResult.enabled("requires nothing"));
    }

    private static ConditionEvaluationResult evaluate(Requires requires) {
        if (USERLAND_MISSING.isPresent()) {
            return ConditionEvaluationResult.disabled(USERLAND_MISSING.get());
        }
        synchronized (MISSING) {
            for (Requirement requirement : requires.value()) {
                Optional<String> reason = MISSING.computeIfAbsent(requirement, Requirement::missing);
                if (reason.isPresent()) {
                    return ConditionEvaluationResult.disabled(reason.get());
                }
            }
            return ConditionEvaluationResult.enabled("all there");
        }
    }
}
