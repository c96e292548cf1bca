//! Every row of the table of forms as a positive case, every trap as a negative one.

use proptest::prelude::*;

use super::ReferenceKind::{Ciphertext, Hash, Masked, Ref, Template};
use super::*;
use crate::detector::template::expand;

fn drawn(template: &str) -> String {
    // Braces of a template are the braces of an expression: what is drawn stands in «{…}».
    let escaped = template.replace("«{", "\u{1}").replace("}»", "\u{2}");
    let mut text = String::new();
    for piece in escaped.split('\u{1}') {
        match piece.split_once('\u{2}') {
            Some((class, rest)) => {
                let value = expand(&format!("{{{{{class}}}}}"), 3)
                    .expect("valid")
                    .secret;
                text.push_str(&value);
                text.push_str(rest);
            }
            None => text.push_str(piece),
        }
    }
    text
}

/// What a value says that stands alone on its line.
fn said(template: &str) -> Option<Reference> {
    let value = drawn(template);
    reference(value.as_bytes(), format!("password: {value}").as_bytes())
}

/// What the part of a line after its last `=` or `: ` says, quotes removed.
fn said_on(template: &str, value: &str) -> Option<Reference> {
    let (line, value) = (drawn(template), drawn(value));
    assert!(line.contains(&value), "the value stands on the line");
    reference(value.as_bytes(), line.as_bytes())
}

fn check(kind: ReferenceKind, system: &'static str, cases: &[(&str, Option<&str>)]) {
    for &(template, name) in cases {
        let expected = Reference {
            kind,
            system,
            name: name.map(str::to_owned),
        };
        assert_eq!(said(template), Some(expected), "{template}");
    }
}

#[test]
fn variables_of_ci_systems() {
    check(
        Ref,
        "github-actions",
        &[
            ("${{ secrets.DEPLOY_KEY }}", Some("secrets.DEPLOY_KEY")),
            ("${{secrets.A}}", Some("secrets.A")),
            ("${{ secrets['A-B'] }}", Some("secrets['A-B']")),
            ("${{ vars.X }}", Some("vars.X")),
            ("${{ env.X }}", Some("env.X")),
            ("${{ github.token }}", Some("github.token")),
            ("${{ inputs.token }}", Some("inputs.token")),
            (
                "${{ steps.login.outputs.token }}",
                Some("steps.login.outputs.token"),
            ),
            ("${{ needs.a.outputs.b }}", Some("needs.a.outputs.b")),
            ("${{ matrix.key }}", Some("matrix.key")),
            ("${{ secrets.A || secrets.B }}", Some("secrets.A")),
            (
                "${{ matrix.env == 'prod' && secrets.A || secrets.B }}",
                Some("matrix.env"),
            ),
            ("Bearer ${{ secrets.A }}", Some("secrets.A")),
            (
                "${{ secrets.USER }}:${{ secrets.PASS }}",
                Some("secrets.USER"),
            ),
        ],
    );
    check(
        Ref,
        "azure-pipelines",
        &[
            ("${{ variables.x }}", Some("variables.x")),
            ("${{ parameters.x }}", Some("parameters.x")),
            ("$(dbPassword)", Some("dbPassword")),
            ("$[ variables.x ]", Some("variables.x")),
        ],
    );
    check(
        Ref,
        "circleci",
        &[("<< parameters.token >>", Some("parameters.token"))],
    );
    check(
        Ref,
        "jenkins",
        &[
            ("credentials('deploy-key')", Some("deploy-key")),
            ("credentials(\"deploy-key\")", Some("deploy-key")),
        ],
    );
}

#[test]
fn variables_of_shells_and_applications() {
    check(
        Ref,
        "environment",
        &[
            ("$DB_PASSWORD", Some("DB_PASSWORD")),
            ("${DB_PASSWORD}", Some("DB_PASSWORD")),
            ("${DB_PASSWORD:?must be set}", Some("DB_PASSWORD")),
            ("${DB_PASSWORD:-}", Some("DB_PASSWORD")),
            ("${DB_PASSWORD:-$OTHER}", Some("DB_PASSWORD")),
            (
                "${spring.datasource.password}",
                Some("spring.datasource.password"),
            ),
            ("${DB_PASSWORD:}", Some("DB_PASSWORD")),
            ("%DB_PASSWORD%", Some("DB_PASSWORD")),
            ("$env:DB_PASSWORD", Some("DB_PASSWORD")),
            ("${env:DB_PASSWORD}", Some("DB_PASSWORD")),
            ("$$DB_PASSWORD", Some("DB_PASSWORD")),
            ("$password", Some("password")),
            ("$this->password", Some("this->password")),
            ("${USER}:${PASSWORD}", Some("USER")),
            ("Bearer $TOKEN", Some("TOKEN")),
            ("%env(DATABASE_URL)%", Some("DATABASE_URL")),
            ("os.getenv(\"X\")", Some("X")),
            ("os.environ['X']", Some("X")),
            ("os.environ.get('X')", Some("X")),
            ("process.env.X_Y", Some("X_Y")),
            ("process.env['X']", Some("X")),
            ("import.meta.env.VITE_X", Some("VITE_X")),
            ("ENV['X']", Some("X")),
            ("ENV.fetch(\"X\")", Some("X")),
            ("System.getenv(\"X\")", Some("X")),
            ("env('X')", Some("X")),
            ("std::env::var(\"X\")?", Some("X")),
            ("Environment.GetEnvironmentVariable(\"X\")", Some("X")),
            ("os.Getenv(\"X\")", Some("X")),
            ("<%= ENV['X'] %>", Some("X")),
            ("#{ENV['X']}", Some("X")),
            ("${process.env.X}", Some("X")),
        ],
    );
}

#[test]
fn pointers_to_secret_managers() {
    check(
        Ref,
        "vault",
        &[
            (
                "vault:secret/data/app#password",
                Some("secret/data/app#password"),
            ),
            ("secret/data/app", Some("secret/data/app")),
            (
                "{{ with secret \"secret/data/app\" }}{{ .Data.data.password }}{{ end }}",
                Some("secret/data/app"),
            ),
            ("{{ .Data.data.password }}", Some(".Data.data.password")),
            (
                "$(vault kv get -field=password secret/app)",
                Some("secret/app"),
            ),
            ("${vault:secret/app:password}", Some("secret/app:password")),
        ],
    );
    check(
        Ref,
        "vals",
        &[
            (
                "ref+vault://secret/app#/password",
                Some("vault://secret/app#/password"),
            ),
            (
                "ref+awsssm://app/password?region=eu",
                Some("awsssm://app/password?region=eu"),
            ),
            ("vals!app/password", Some("app/password")),
        ],
    );
    check(
        Ref,
        "helm-secrets",
        &[("secrets://values.yaml", Some("values.yaml"))],
    );
    check(Ref, "sops", &[("sops://values.yaml", Some("values.yaml"))]);
    check(
        Ref,
        "argocd-vault-plugin",
        &[(
            "<path:secret/data/app#password>",
            Some("secret/data/app#password"),
        )],
    );
    check(
        Ref,
        "1password",
        &[
            ("op://vault/item/password", Some("vault/item/password")),
            (
                "op://vault/item/section/password",
                Some("vault/item/section/password"),
            ),
            (
                "{{ op://vault/item/password }}",
                Some("vault/item/password"),
            ),
            (
                "$(op read op://vault/item/password)",
                Some("op://vault/item/password"),
            ),
        ],
    );
    check(
        Ref,
        "infisical",
        &[("infisical://app/PASSWORD", Some("app/PASSWORD"))],
    );
    check(
        Ref,
        "conjur",
        &[("!var app/password", Some("app/password"))],
    );
    check(
        Ref,
        "aws",
        &[
            (
                "{{resolve:secretsmanager:app:SecretString:password}}",
                Some("secretsmanager:app:SecretString:password"),
            ),
            (
                "{{resolve:ssm-secure:/app/password:1}}",
                Some("ssm-secure:/app/password:1"),
            ),
            (
                "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app-x",
                Some("app-x"),
            ),
            (
                "arn:aws-cn:ssm:cn-north-1:123456789012:parameter/app/password",
                Some("app/password"),
            ),
            (
                "$(aws secretsmanager get-secret-value --secret-id app --query SecretString)",
                Some("app"),
            ),
            ("${ssm:/app/password}", Some("/app/password")),
            ("SecretValue.secretsManager('app')", Some("app")),
            (
                "secretsmanager.Secret.fromSecretNameV2(this, 'S', 'app')",
                Some("S"),
            ),
        ],
    );
    check(
        Ref,
        "gcp",
        &[
            ("projects/p/secrets/app", Some("projects/p/secrets/app")),
            (
                "projects/p/secrets/app/versions/latest",
                Some("projects/p/secrets/app/versions/latest"),
            ),
            ("sm://p/app", Some("p/app")),
            ("berglas://bucket/app", Some("bucket/app")),
            ("${sm://p/app}", Some("p/app")),
            (
                "$(gcloud secrets versions access latest --secret=app)",
                Some("app"),
            ),
        ],
    );
    check(
        Ref,
        "azure",
        &[
            (
                "@Microsoft.KeyVault(SecretUri=https://v.vault.example/secrets/app)",
                Some("SecretUri=https://v.vault.example/secrets/app"),
            ),
            (
                "@Microsoft.KeyVault(VaultName=v;SecretName=app)",
                Some("VaultName=v;SecretName=app"),
            ),
            (
                "keyvaultref:https://v.vault.example/secrets/app,identityref:x",
                Some("https://v.vault.example/secrets/app,identityref:x"),
            ),
            ("https://v.vault.azure.net/secrets/app", Some("app")),
            ("kv.getSecret('app')", Some("app")),
        ],
    );
    check(
        Ref,
        "pulumi",
        &[("config.requireSecret('app')", Some("app"))],
    );
    check(
        Ref,
        "terraform",
        &[
            (
                "data.aws_secretsmanager_secret_version.app.secret_string",
                Some("data.aws_secretsmanager_secret_version.app.secret_string"),
            ),
            (
                "${data.vault_generic_secret.app.data[\"password\"]}",
                Some("data.vault_generic_secret.app.data[\"password\"]"),
            ),
            (
                "ephemeral.vault_kv_secret_v2.app.data",
                Some("ephemeral.vault_kv_secret_v2.app.data"),
            ),
            ("var.db_password", Some("var.db_password")),
            ("${var.db_password}", Some("var.db_password")),
            (
                "random_password.db.result",
                Some("random_password.db.result"),
            ),
        ],
    );
    check(
        Ref,
        "cloudformation",
        &[
            ("!Ref DbPassword", Some("DbPassword")),
            ("!GetAtt Db.Password", Some("Db.Password")),
            ("!ImportValue db-password", Some("db-password")),
        ],
    );
    check(
        Ref,
        "ansible",
        &[
            (
                "{{ lookup('hashi_vault', 'secret=app') }}",
                Some("secret=app"),
            ),
            ("{{ vault_db_password }}", Some("vault_db_password")),
        ],
    );
    check(
        Ref,
        "docker",
        &[
            ("$(cat /run/secrets/app)", Some("/run/secrets/app")),
            ("/run/secrets/app", Some("/run/secrets/app")),
        ],
    );
    let id = drawn("«{uuid}»");
    let expected = Reference::to("teamcity", &id);
    assert_eq!(said("credentialsJSON:«{uuid}»"), Some(expected));
}

#[test]
fn ciphertexts() {
    check(
        Ciphertext,
        "sops",
        &[
            (
                "ENC[AES256_GCM,data:«{base64:12}»,iv:«{base64:44}»,tag:«{base64:24}»,type:str]",
                None,
            ),
            (
                "ENC[AES256_GCM,data:,iv:«{base64:44}»,tag:«{base64:24}»,type:str]",
                None,
            ),
        ],
    );
    check(
        Ciphertext,
        "age",
        &[
            ("-----BEGIN AGE ENCRYPTED FILE-----\n«{base64:64}»", None),
            ("age-encryption.org/v1", None),
        ],
    );
    check(
        Ciphertext,
        "pgp",
        &[("-----BEGIN PGP MESSAGE-----\n«{base64:64}»", None)],
    );
    check(
        Ciphertext,
        "git-crypt",
        &[("\0GITCRYPT\0«{alnum:12}»", None)],
    );
    check(Ciphertext, "openssl", &[("U2FsdGVkX1«{base64:54}»", None)]);
    check(
        Ciphertext,
        "ansible-vault",
        &[
            ("$ANSIBLE_VAULT;1.1;AES256\n«{digits:80}»", None),
            ("$ANSIBLE_VAULT;1.2;AES256;dev", None),
            ("!vault |", None),
        ],
    );
    check(
        Ciphertext,
        "eyaml",
        &[
            ("ENC[PKCS7,«{base64:80}»]", None),
            ("ENC[GPG,«{base64:80}»]", None),
            ("ENC[KMS,«{base64:80}»]", None),
        ],
    );
    check(
        Ciphertext,
        "rails",
        &[("«{base64:80}»--«{base64:16}»--«{base64:22}»==", None)],
    );
    check(Ciphertext, "dotenvx", &[("encrypted:«{base64:80}»", None)]);
    check(Ciphertext, "jasypt", &[("ENC(«{base64:32}»)", None)]);
    check(
        Ciphertext,
        "spring-cloud-config",
        &[("{cipher}«{hex:64}»", None)],
    );
    check(
        Ciphertext,
        "jenkins",
        &[("{AQAAABAAAA«{base64:40}»}", None)],
    );
    check(Ciphertext, "sealed-secrets", &[("AgA«{base64:700}»", None)]);
    check(
        Ciphertext,
        "vault-transit",
        &[("vault:v1:«{base64:40}»", None)],
    );
}

#[test]
fn what_the_line_tells() {
    for (line, value, kind, system) in [
        (
            "secure: \"«{base64:172}»\"",
            "«{base64:172}»",
            Ciphertext,
            "ci-secure",
        ),
        (
            "  secure: v1:«{base64:16}»:«{base64:40}»",
            "v1:«{base64:16}»:«{base64:40}»",
            Ciphertext,
            "pulumi",
        ),
        (
            "  secure: AAAB«{base64:60}»",
            "AAAB«{base64:60}»",
            Ciphertext,
            "pulumi",
        ),
        (
            "encryptionsalt: v1:«{base64:12}»:v1:«{base64:20}»",
            "v1:«{base64:12}»:v1:«{base64:20}»",
            Ciphertext,
            "pulumi",
        ),
        (
            "DOTENV_VAULT_CI=\"«{base64:80}»\"",
            "«{base64:80}»",
            Ciphertext,
            "dotenv-vault",
        ),
        (
            "\"encrypted_data\": \"«{base64:60}»\",",
            "«{base64:60}»",
            Ciphertext,
            "chef",
        ),
        (
            "<password>{«{base64:44}»}</password>",
            "{«{base64:44}»}",
            Ciphertext,
            "maven",
        ),
        (
            "withCredentials([string(credentialsId: 'deploy', variable: 'X')])",
            "deploy",
            Ref,
            "jenkins",
        ),
        ("  from_secret: db_password", "db_password", Ref, "drone"),
        (
            "  secretName: db-password",
            "db-password",
            Ref,
            "kubernetes",
        ),
        (
            "  existingSecret: \"db-password\"",
            "db-password",
            Ref,
            "kubernetes",
        ),
        (
            "\"valueFrom\": \"/app/password\"",
            "/app/password",
            Ref,
            "aws",
        ),
        (
            "<UserSecretsId>«{uuid}»</UserSecretsId>",
            "«{uuid}»",
            Ref,
            "dotnet",
        ),
        ("credential_process = get-creds", "get-creds", Ref, "aws"),
        (
            "credential_process = ./bin/creds",
            "./bin/creds",
            Ref,
            "aws",
        ),
        (
            "RUN --mount=type=secret,id=token make",
            "token",
            Ref,
            "docker",
        ),
        ("docker build --secret id=token .", "token", Ref, "docker"),
        (
            "DOTENV_PUBLIC_KEY=\"«{hex:66}»\"",
            "«{hex:66}»",
            Ref,
            "dotenvx",
        ),
    ] {
        let reference = said_on(line, value).map(|reference| (reference.kind, reference.system));
        assert_eq!(reference, Some((kind, system)), "{line}");
    }
}

#[test]
fn hashes_of_passwords() {
    for (system, template) in [
        ("crypt", "$2b$10$«{alnum:53}»"),
        ("crypt", "$6$«{alnum:16}»$«{alnum:86}»"),
        ("crypt", "$y$j9T$«{alnum:22}»$«{alnum:43}»"),
        (
            "crypt",
            "$argon2id$v=19$m=65536,t=3,p=4$«{base64:22}»$«{base64:43}»",
        ),
        ("ldap", "{SSHA}«{base64:38}»=="),
        ("pbkdf2", "pbkdf2_sha256$600000$«{alnum:22}»$«{base64:43}»="),
        (
            "postgres",
            "SCRAM-SHA-256$4096:«{base64:22}»==$«{base64:43}»=:«{base64:43}»=",
        ),
        ("mysql", "*«{HEX:40}»"),
        ("mysql", "*«{hex:40}»"),
    ] {
        check(Hash, system, &[(template, None)]);
    }
}

#[test]
fn templates_and_masks() {
    check(
        Template,
        "generic",
        &[
            ("{{ db_password }}", Some("db_password")),
            ("{{db.password}}", Some("db.password")),
            ("<%= db_password %>", Some("db_password")),
            ("__DB_PASSWORD__", Some("DB_PASSWORD")),
            ("@db.password@", Some("db.password")),
            ("%(db_password)s", Some("db_password")),
            ("<YOUR_KEY>", Some("YOUR_KEY")),
            ("xxxxxxxx", None),
            ("${getPassword()}", Some("getPassword()")),
            ("{admin_api_key}", Some("admin_api_key")),
            ("{password}", Some("password")),
            ("%s:%s", Some("%s")),
            ("{0}", Some("0")),
            ("{}", None),
        ],
    );
    check(
        Template,
        "helm",
        &[
            ("{{ .Values.db.password }}", Some(".Values.db.password")),
            (
                "{{ .Values.db.password | b64enc | quote }}",
                Some(".Values.db.password"),
            ),
            (
                "{{ .Values.db.password | default \"\" }}",
                Some(".Values.db.password"),
            ),
        ],
    );
    check(
        Template,
        "code",
        &[
            ("self.password", Some("self.password")),
            ("this.db.password", Some("this.db.password")),
        ],
    );
    check(
        Template,
        "octopus",
        &[("#{Db.Password}", Some("Db.Password"))],
    );
    check(
        Template,
        "teamcity",
        &[("%db.password%", Some("db.password"))],
    );
    check(
        Masked,
        "generic",
        &[
            ("***", None),
            ("••••••", None),
            ("[REDACTED]", None),
            ("<hidden>", None),
        ],
    );
    check(
        Masked,
        "teamcity",
        &[(concat!("zxx775d0", "3cbe80d301b"), None)],
    );
}

#[test]
fn a_fallback_literal_is_found_and_is_no_reference() {
    for (value, literal) in [
        ("${{ secrets.X || 'lit3ral' }}", "lit3ral"),
        ("${VAR:-lit3ral}", "lit3ral"),
        ("${VAR:=lit3ral}", "lit3ral"),
        ("${VAR-lit3ral}", "lit3ral"),
        ("${VAR:-'lit3ral'}", "lit3ral"),
        ("${A:-${B:-lit3ral}}", "lit3ral"),
        ("${X:lit3ral}", "lit3ral"),
        ("${spring.datasource.password:lit3ral}", "lit3ral"),
        ("${env:X, 'lit3ral'}", "lit3ral"),
        ("prefix-${VAR:-lit3ral}", "lit3ral"),
        ("{{ .Values.x | default \"lit3ral\" }}", "lit3ral"),
        ("{{ default \"lit3ral\" .Values.x }}", "lit3ral"),
        ("{{ x | default('lit3ral') }}", "lit3ral"),
        ("{{ x | default('lit3ral', true) }}", "lit3ral"),
        ("{{ getenv \"X\" \"lit3ral\" }}", "lit3ral"),
        ("{{ \"lit3ral\" | b64enc }}", "lit3ral"),
        ("os.getenv(\"X\", \"lit3ral\")", "lit3ral"),
        ("os.environ.get('X', 'lit3ral')", "lit3ral"),
        ("os.environ.get('X') or 'lit3ral'", "lit3ral"),
        ("process.env.X || \"lit3ral\"", "lit3ral"),
        ("process.env.X ?? 'lit3ral'", "lit3ral"),
        ("ENV['X'] || 'lit3ral'", "lit3ral"),
        ("ENV.fetch('X') { 'lit3ral' }", "lit3ral"),
        ("env('X', 'lit3ral')", "lit3ral"),
        ("getenv('X') ?: 'lit3ral'", "lit3ral"),
        ("System.getProperty(\"x\", \"lit3ral\")", "lit3ral"),
        (
            "std::env::var(\"X\").unwrap_or(\"lit3ral\".into())",
            "lit3ral",
        ),
        ("<%= ENV['X'] || 'lit3ral' %>", "lit3ral"),
    ] {
        let range = literal_in_reference(value.as_bytes());
        assert_eq!(
            range.and_then(|range| value.get(range)),
            Some(literal),
            "{value}"
        );
        assert_eq!(
            reference(value.as_bytes(), value.as_bytes()),
            None,
            "{value}"
        );
    }
}

#[test]
fn plain_values_have_no_literal_inside() {
    for value in [
        "",
        "hunter2",
        "${VAR}",
        "${VAR:-}",
        "${VAR:?no default}",
        "${VAR:-$OTHER}",
        "${A:-${B}}",
        "${env:X}",
        "${ssm:/a/b}",
        "${{ secrets.A || secrets.B }}",
        "${{ secrets.A || '' }}",
        "{{ .Values.x | default .Values.y }}",
        "{{ .Values.x | default \"\" }}",
        "os.getenv(\"X\")",
        "os.getenv('X', None)",
        "process.env.X || other",
        "pa$$:-word",
        "${X:null}",
        "a ? b : 'c'",
        "${X:${Y}}",
    ] {
        assert_eq!(literal_in_reference(value.as_bytes()), None, "{value}");
    }
}

/// Trap 3: what anybody can reverse is a secret.
#[test]
fn reversible_encodings_are_no_ciphertexts() {
    for template in [
        "«{b64:24}»",
        "zxx«{hex:24}»",
        "{AES}«{base64:24}»",
        "{xor}«{base64:24}»",
        "{noop}«{alnum:12}»",
        "«{basic:user:16}»",
        "$(echo «{alnum:16}» | base64 -d)",
        "$(printf «{alnum:16}»)",
        "dotenv://:key_«{hex:64}»@dotenv.example/vault",
    ] {
        assert_eq!(said(template), None, "{template}");
    }
}

#[test]
fn secrets_and_passwords_are_no_references() {
    for template in [
        "«{alnum:32}»",
        "«{crc-base62:ghp_:30}»",
        "«{uuid}»",
        "«{jwt}»",
        "hunter2",
        "pa$$word",
        "$«{[A-Z]:3}»«{alnum:12}»x!",
        "P@ssw0rd",
        "a%b%c",
        "50%off%",
        "__init",
        "p<3>q",
        "«{alnum:8}»${X}",
        "{«{alnum:12}»}",
        "$ecret$«{alnum:20}»",
        "*«{HEX:12}»",
        "admin@home@x!",
        "postgres://user:«{alnum:12}»@db.example/app",
        "«{base64:43}»=",
        "ENC[x]",
        "ENC(x y)",
        "vault",
        "secret",
        "op:password",
        "«{hex:40}»",
        "S3cret:$9",
        "(«{alnum:10}»)",
    ] {
        let value = drawn(template);
        let line = format!("password = \"{value}\"");
        let got = reference(value.as_bytes(), line.as_bytes());
        assert_eq!(got, None, "{template}");
    }
}

fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "${",
        "${{",
        "{{",
        "}}",
        "}",
        "$(",
        ")",
        "'",
        "\"",
        "||",
        ":-",
        "X",
        " ",
        "default ",
        "secrets.",
        "%",
        "<",
        ">",
        "\\",
        "getenv(",
        ",",
        "é",
        "ENC[",
        "ENC(",
        "$",
        "process.env.",
        "<%=",
        "%>",
        "#{",
        "vault:",
        "op://",
        "@",
        "__",
    ]);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn pieces_of_references_never_panic(value in pieces(), line in pieces()) {
        reference(value.as_bytes(), format!("{line}{value}").as_bytes());
        if let Some(range) = literal_in_reference(value.as_bytes()) {
            prop_assert!(!range.is_empty() && value.get(range).is_some());
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(value in prop::collection::vec(any::<u8>(), 0..80),
                                   line in prop::collection::vec(any::<u8>(), 0..80)) {
        reference(&value, &line);
        literal_in_reference(&value);
    }
}
