from django.apps import AppConfig


class EquipmentConfig(AppConfig):
    name = "equipment"

    def ready(self) -> None:
        from equipment.bookings import checks  # noqa: F401  importing registers them
        from equipment.bookings import words as bookings
        from equipment.certifications import words as certifications
        from equipment.machines import checks as machine_checks  # noqa: F401  importing registers them
        from equipment.machines import words as machines
        from equipment.sites import words as sites
        from equipment.sites.queries import rights_of
        from fablab.core.words import register
        from fablab.live.signin import register_rights_reader

        for room in (sites, machines, certifications, bookings):
            register(room.SENTENCES)
        register_rights_reader(rights_of)
