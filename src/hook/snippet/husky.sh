carnet hook run pre-push "$1" "$2"
