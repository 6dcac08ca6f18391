import { Button, Collapse, Select, SimpleGrid, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useEffect } from "react";
import { faultAt, methodOf, optionAt, optionText, withOption } from "./formstate.ts";
import type { Fault, Form, FormOption, FormState, Part } from "./formstate.ts";
import classes from "./new.module.css";

const DATA = { number: "decimal", numbers: "text", text: "text", data: "text" } as const;

type OptionsProps = {
  form: Form;
  state: FormState;
  part: Part;
  faults: Fault[];
  set: (change: Partial<FormState>) => void;
};

/** The options of the chosen searcher or schedule, folded away until somebody wants them or one is wrong. */
export function Options({ form, state, part, faults, set }: OptionsProps) {
  const [opened, { toggle, open }] = useDisclosure(false);
  const method = methodOf(form, state, part);
  const options = method?.options ?? [];
  const wrong = options.some((option) => faultAt(faults, "", `${part}.${option.name}`) !== undefined);
  // what was wrong stays in sight while it is put right
  useEffect(() => {
    if (wrong) open();
  }, [wrong, open]);
  if (method === undefined || options.length === 0) return null;
  const said = options.flatMap((option) => {
    const value = optionAt(state, part, method, option);
    return value === "" ? [] : [`${option.name} ${value}`];
  });
  return (
    <div>
      <Button variant="subtle" size="compact-sm" mt={4} onClick={toggle} aria-expanded={opened}>
        Options of {method.name} ({options.length})
      </Button>
      {!opened && said.length > 0 && (
        <Text size="sm" c="dimmed" className={classes.long}>
          {said.join(", ")}
        </Text>
      )}
      <Collapse expanded={opened}>
        <SimpleGrid cols={{ base: 1, xs: 2 }} mt="xs" verticalSpacing="xs">
          {options.map((option) => (
            <Field
              key={option.name}
              option={option}
              label={`${option.name} of ${method.name}`}
              value={optionAt(state, part, method, option)}
              error={faultAt(faults, "", `${part}.${option.name}`)}
              onChange={(typed) => set({ options: withOption(state, part, method.name, option.name, typed) })}
            />
          ))}
        </SimpleGrid>
      </Collapse>
    </div>
  );
}

type FieldProps = {
  option: FormOption;
  label: string;
  value: string;
  error?: string;
  onChange: (typed: string) => void;
};

function Field({ option, label, value, error, onChange }: FieldProps) {
  const { name, kind } = option;
  const begun = optionText(option.default);
  const shared = {
    label: name,
    "aria-label": label,
    description: option.text || undefined,
    placeholder: begun === "" ? undefined : begun,
    error,
  };
  if (kind === "word" || kind === "flag") {
    return (
      <Select
        {...shared}
        data={kind === "flag" ? ["true", "false"] : (option.words ?? [])}
        value={value === "" ? null : value}
        clearable
        clearButtonProps={{ "aria-label": `Clear ${label}` }}
        onChange={(chosen) => onChange(chosen ?? "")}
      />
    );
  }
  return (
    <TextInput
      {...shared}
      inputMode={DATA[kind]}
      autoComplete="off"
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
