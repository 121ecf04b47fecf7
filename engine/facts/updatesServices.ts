/** Prints `~ no-service NAME` for each that is none of the host's units. Of an instance that does not run now the template is there. */
export const SERVICES = `doaas_services() { # NAME or pattern ...
  for s in "$@"; do
    b=\${s%.service}
    [ -n "$(systemctl list-units --all --plain --no-legend --no-pager -- "$s" "$b@*.service"
      systemctl list-unit-files --no-legend --no-pager -- "$s" "$b@*.service" "\${b%@*}@.service")" ] || echo "~ no-service $s"
  done
}`;
