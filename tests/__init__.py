"""The tests of cosem; a package only so that they can share helpers by absolute import."""
