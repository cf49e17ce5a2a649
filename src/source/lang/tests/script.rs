//! Shell scripts, Makefiles.

use super::super::language::Language::{Make, Shell};
use super::{commands, references, settings, spans};

#[test]
fn words_have_the_role_of_their_command() {
    let text = "echo /eos/a\necho /eos/b > list\nsed -i 's|/eos/c|x|' f\n[ -d /eos/d ]\ncp /eos/e .\n";
    let found = spans(Shell, text);
    assert!(found.contains(&"Word Shown - /eos/a".into()), "{found:?}");
    assert!(found.contains(&"Word Plain - /eos/b".into()));
    assert!(found.contains(&"Word Pattern i s|/eos/c|x|".into()));
    assert!(found.contains(&"Word Guard d /eos/d".into()));
    assert!(found.contains(&"Word Plain - /eos/e".into()));
}

#[test]
fn arguments_of_display_functions_are_shown() {
    for text in ["echo_color red /eos/a", "log_info \"look at /eos/a\""] {
        assert!(
            spans(Shell, text).iter().any(|span| span.starts_with("Word Shown")),
            "{text}: {:?}",
            spans(Shell, text)
        );
    }
}

#[test]
fn text_after_a_variable_is_not_the_head() {
    for text in ["cp $BASE/data", "cp \"$BASE\"/data", "cp ${BASE}/data", "cp $(pwd)/data", "cp \"`pwd`/data\""] {
        assert!(spans(Shell, text).contains(&"Word Plain tail - /data".into()), "{text}: {:?}", spans(Shell, text));
    }
    assert_eq!(spans(Shell, "X=/home/$USER/data"), ["Value Plain X /home/$USER/data"]);
}

#[test]
fn variable_default_has_role_default() {
    assert_eq!(spans(Shell, "IN=${1:-/eos/x}"), ["Word Default 1 /eos/x"]);
}

#[test]
fn hash_starts_a_comment_only_at_the_start_of_a_word() {
    assert_eq!(spans(Shell, "a b#c # d"), ["Word Plain - a", "Word Plain - b#c", "Comment Plain -  d"]);
}

#[test]
fn heredocs_are_read_as_their_language() {
    let job = "cat > x.sub <<EOF\nexecutable = a.sh\nlog = /eos/x\nqueue\nEOF\nls\n";
    assert!(spans(Shell, job).contains(&"Value Plain log /eos/x".into()));
    assert_eq!(settings(Shell, job), ["HtCondor executable a.sh", "HtCondor log /eos/x"]);
    assert_eq!(commands(Shell, job), ["Script cat", "Script ls"]);
    assert_eq!(spans(Shell, "cat <<-'A'\n/eos/x\n\tA\n")[1..], ["Text Shown - /eos/x"]);
}

#[test]
fn keywords_are_not_commands() {
    let text = "f() { a 1; }\nif b; then c | d; fi\ne && g\nX=$(h i) j\ncase $k in l) m;; esac\n(n)\n! o\n";
    let expected = [
        "Script a 1",
        "Script? b",
        "Script? c",
        "Script? d",
        "Script e",
        "Script? g",
        "Script h i",
        "Script j",
        "Script? m",
        "Script n",
        "Script o",
    ];
    assert_eq!(commands(Shell, text), expected);
}

#[test]
fn string_passed_to_a_shell_is_read_as_script() {
    assert_eq!(commands(Shell, "bash -c 'a /eos/x; b'"), ["Script a /eos/x", "Script b", "Script bash -c a /eos/x; b"]);
}

#[test]
fn batch_options_have_long_names() {
    let text = "#SBATCH -p hep --account=\"x y\" # why\n#BSUB -q 8nh\n#$ -l h_rt=1\nsbatch -A cms --mem 4G a.sh\n";
    let expected = [
        "Batch partition hep",
        "Batch account x y",
        "Batch queue 8nh",
        "Batch resources h_rt=1",
        "Batch account cms",
        "Batch mem 4G",
    ];
    assert_eq!(settings(Shell, text), expected);
    assert_eq!(references(Shell, text), ["Code a.sh"]);
}

#[test]
fn variables_are_settings_in_all_shells() {
    assert_eq!(settings(Shell, "export A=/x B='y z'\nC=1 d\n"), ["Variable A /x", "Variable B y z", "Variable C 1"]);
    let csh = "#!/bin/tcsh\nsetenv A /x\nset b = /y\nif ( -d /eos/z ) source c\n";
    assert_eq!(settings(Shell, csh), ["Variable A /x", "Variable b /y"]);
    assert!(spans(Shell, csh).contains(&"Word Guard - /eos/z".into()));
    assert_eq!(commands(Shell, csh)[2..], ["Script? source c"]);
}

#[test]
fn started_scripts_are_references() {
    let text = "source a.sh\n. b.sh\n./c.sh\npython -u d.py x\npython -m e\nroot -b 'f.C+(\"/x\")'\ncmsRun g.py\nbash h.sh\nls < i\n";
    let expected =
        ["Code a.sh", "Code b.sh", "Code ./c.sh", "Code d.py", "Code f.C", "Code g.py", "Code h.sh", "Data i"];
    assert_eq!(references(Shell, text), expected);
}

#[test]
fn recipes_are_commands_and_variables_are_settings() {
    let text =
        "# c\nCXXFLAGS += -O2 -march=native # d\ninclude x.mk\nall: a.o\n\t@$(CC) -o x $(DIR)/y && cp a /eos/z\n";
    assert_eq!(settings(Make, text), ["Variable CXXFLAGS -O2 -march=native"]);
    assert_eq!(commands(Make, text), ["Recipe $(CC) -o x $(DIR)/y", "Recipe? cp a /eos/z"]);
    assert_eq!(references(Make, text), ["Code x.mk"]);
    let found = spans(Make, text);
    assert!(found.contains(&"Word Plain tail - /y".into()), "{found:?}");
    assert!(found.contains(&"Comment Plain -  d".into()));
}
