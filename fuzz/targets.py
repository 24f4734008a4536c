"""All targets by their names: each takes bytes, and raises for what is a defect alone."""

from collections.abc import Callable

from fuzz import books, files, pages, texts

TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (
        pages.page_json,
        pages.page_html,
        pages.root_list,
        pages.file_names,
        pages.headers,
        files.wheel,
        files.cached_wheel,
        files.sdist,
        files.packed_sdist,
        files.form,
        files.packed_page,
        files.left_files,
        files.said,
        texts.lock_requirements,
        texts.lock_pylock,
        texts.lock_uv,
        texts.lock_poetry,
        texts.lock_pdm,
        texts.lock_pipfile,
        texts.policy,
        texts.settings,
        texts.expectations,
        texts.osv,
        texts.attestations,
        texts.identity,
        texts.metadata,
        texts.moments,
        texts.requirement,
        books.log_note,
        books.log_tiles,
        books.backup_list,
        books.bundle_file,
        books.bundle_documents,
    )
}
